"""Core: AdmissionReview to decision to the sentence that kubectl prints. No I/O."""
