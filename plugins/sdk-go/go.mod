module synix

go 1.24
