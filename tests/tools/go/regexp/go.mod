module imagecompat.dev/tools/regexp

go 1.26
