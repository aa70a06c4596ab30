module github.com/vultus/vultus/ffi/go

go 1.24
