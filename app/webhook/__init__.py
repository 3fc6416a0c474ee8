"""The FastAPI application that answers the apiserver's admission reviews."""
