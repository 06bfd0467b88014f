"""What commands of `odin local` start from."""

from odin_ws.cli.session import open_current, open_despite_problems, seconds_or_default


def test_the_stack_of_the_home_in_force(run, tmp_path):
    assert open_current().home.root == tmp_path / "home"


def test_the_timeout_that_was_asked_for_wins(run):
    stack = open_current()
    assert seconds_or_default("2m", stack) == 120
    assert seconds_or_default("", stack) == stack.settings.stack.start_timeout_seconds


def test_a_broken_configuration_is_a_list_for_preflight(run, monkeypatch):
    assert open_despite_problems()[1] == []
    from odin_ws.cli import context

    context.current.cache_clear()
    monkeypatch.setenv("ODIN_GATEWAY_PROT", "1")
    stack, problems = open_despite_problems()
    assert len(problems) == 1
    assert "ODIN_GATEWAY_PORT" in problems[0]
    assert stack.settings.gateway.port == 3005
