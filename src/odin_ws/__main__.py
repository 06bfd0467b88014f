"""`python -m odin_ws` is `odin`: how the driver starts services without a script on PATH."""

from odin_ws.cli.app import main

if __name__ == "__main__":
    main()
