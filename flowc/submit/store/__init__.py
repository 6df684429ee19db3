"""What the journal is made of: its tables (`schema`), jobs in them, transactions of SQLite, locks between processes."""
