"""The tenth set: twenty training graphs after twenty repositories of other fields, written before the ranking was touched again."""
