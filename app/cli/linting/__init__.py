"""What `validate-spec` checks, and how it prints what was found."""
