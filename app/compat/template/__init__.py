r"""Go's text/template with sprig's functions, for the varsTemplate of a rule.

> Templates are Go text/template with the functions of sprig v3.

A template and its data give what they give in NFD, byte for byte, and fail with
Go's own text. What NFD wraps around it (the split into lines and values) is not
done here. Three things differ on purpose: functions whose result is never the same
twice, or that read the host, are refused; costs are bounded (`Limits`); and where Go
leaves an order to chance (`keys`, `values`), it is sorted here.
`docs/reference/templates.md` lists every function.

    template = engine.parse("{{ range .cpu.cpuid }}{{ .Name | lower }}=yes\n{{ end }}")
    template.execute({"cpu": {"cpuid": [{"Name": "AVX"}]}})

Strings are bytes inside, as in Go; bytes of the output that are no valid UTF-8
become U+FFFD, one for each byte.
"""
