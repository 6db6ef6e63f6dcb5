"""Logins of the workbench: sessions, the login page and the guard in front of Gradio."""
