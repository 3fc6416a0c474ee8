"""Core: compatibility specs and features, evaluated as NFD does. No I/O."""
