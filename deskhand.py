"""The `deskhand` command: which command stands in which module; each is imported when it is invoked."""

from commands.lazy_group import LazyCommand, lazy_app

COMMANDS = (
    LazyCommand("up", "commands.serve_pages:up", "Run the whole desk in one process."),
    LazyCommand(
        "demo", "commands.serve_pages:demo", "Run the whole desk with the demo workspace (what `make run` does)."
    ),
    LazyCommand(
        "web",
        "commands.serve_pages:web",
        "Serve workbench, web chat, REST and Slack's HTTP events; one of several processes.",
    ),
    LazyCommand("worker", "commands.serve:worker", "Answer and load documents; one of several processes."),
    LazyCommand("bot", "commands.serve:bot", "Hold the connections to Slack and Discord; one of several processes."),
    LazyCommand("chat", "commands.chat:chat", "Talk to the desk in this terminal."),
    LazyCommand("ingest", "commands.ingest:ingest", "Load FAQ files and documents into a workspace."),
    LazyCommand(
        "eval", "commands.evaluate:evaluate_labelled_questions", "Measure retrieval and confidence on a labelled set."
    ),
    LazyCommand("doctor", "commands.doctor:doctor", "Check every setting and connection, and say what is missing."),
    LazyCommand(
        "setup",
        "commands.setup:setup",
        "Make the first workspace, its admin and operator; asks for what is not given.",
    ),
    LazyCommand("member", "commands.members:member_cli", "People with a login."),
    LazyCommand(
        "workspace", "commands.workspaces:workspace_cli", "Workspaces, and which of them is the home workspace."
    ),
    LazyCommand("channel", "commands.channels:channel_cli", "Slack and Discord: support channels, staff, teams."),
    LazyCommand("db", "commands.database.cli:db_cli", "The database."),
)
cli = lazy_app(COMMANDS, no_args_is_help=True, add_completion=False, help="Deskhand: a support desk with an autopilot.")


def main() -> None:
    """The `deskhand` command."""
    cli()


if __name__ == "__main__":
    main()
