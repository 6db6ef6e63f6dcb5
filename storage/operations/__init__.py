"""Operations: backup, restore, diagnosis and the demo workspace."""
