// Package runtime lends memory to the host, as generated bindings expect it.
package runtime

import (
	"runtime"
	"unsafe"
)

// lent holds what the host has written into until the bindings have taken it over.
var lent runtime.Pinner

// Unpin ends the loans to the host.
func Unpin() { lent.Unpin() }

// Allocate returns zeroed memory that stays in place until the pinner lets go.
func Allocate(pinner *runtime.Pinner, size, align uintptr) unsafe.Pointer {
	if size == 0 {
		return nil
	}
	if align > 8 {
		panic("alignment above 8")
	}
	// Words are aligned for everything that crosses the boundary.
	words := make([]uint64, (size+7)/8)
	memory := unsafe.Pointer(unsafe.SliceData(words))
	pinner.Pin(memory)
	return memory
}

//go:wasmexport cabi_realloc
func realloc(old unsafe.Pointer, oldSize, align, size uintptr) unsafe.Pointer {
	if old != nil || oldSize != 0 {
		panic("the host grows no memory")
	}
	return Allocate(&lent, size, align)
}
