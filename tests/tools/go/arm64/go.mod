module arm64-probe

go 1.26
