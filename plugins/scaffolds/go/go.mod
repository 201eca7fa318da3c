module example.com/{{name}}

go 1.24

require synix v0.0.0

replace synix => ./sdk
