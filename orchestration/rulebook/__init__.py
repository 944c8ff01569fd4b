"""Decision tables as people read and change them: cell by cell, with tests, behind two people."""
