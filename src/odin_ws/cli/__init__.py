"""The command line: parsing and printing only, one file a noun."""
