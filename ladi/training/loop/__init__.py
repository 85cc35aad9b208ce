"""The one loop that trains every stage."""
