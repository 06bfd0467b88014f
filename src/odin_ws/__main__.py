"""`odin` and `python -m odin_ws`: the way in. An interruption is told as one even while modules load."""

import sys

INTERRUPTED = 130


def main() -> None:
    """Run the command line and exit with a code of `ExitCode`."""
    try:
        from odin_ws.cli.app import main as run

        run()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
