"""`deskhand db`: the database, its backups, and what is made from it; each command is imported when it is invoked."""

from commands.lazy_group import LazyCommand, lazy_app

COMMANDS = (
    LazyCommand("upgrade", "commands.database.upkeep:upgrade_schema", "Migrate the database to this version's schema."),
    LazyCommand("reindex", "commands.database.upkeep:reindex", "Make the vectors anew from the rows."),
    LazyCommand(
        "backup",
        "commands.database.backup:backup",
        "Copy everything that is kept into one file, also while the desk runs; the file holds secrets.",
    ),
    LazyCommand(
        "restore",
        "commands.database.backup:restore_backup",
        "Replace everything that is kept by a backup; no desk may run on the data folder.",
    ),
)
db_cli = lazy_app(COMMANDS, no_args_is_help=True, help="The database.")
