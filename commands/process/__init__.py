"""What a process of the desk is made of: its composition root, its roles, its server, jobs and periodic tasks."""
