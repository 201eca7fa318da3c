// Package wit_types is what generated bindings make options and results of.
package wit_types

const (
	OptionNone = 0
	OptionSome = 1
	ResultOk   = 0
	ResultErr  = 1
)

// Option is a value or none.
type Option[T any] struct {
	value *T
}

// Tag tells OptionNone from OptionSome.
func (o Option[T]) Tag() uint8 {
	if o.value == nil {
		return OptionNone
	}
	return OptionSome
}

// Some gives the value that is there.
func (o Option[T]) Some() T { return *o.value }

// Some makes an option of a value.
func Some[T any](value T) Option[T] { return Option[T]{&value} }

// None makes an option of nothing.
func None[T any]() Option[T] { return Option[T]{} }

// Result is a value or an error.
type Result[T, E any] struct {
	ok  *T
	err *E
}

// Tag tells ResultOk from ResultErr.
func (r Result[T, E]) Tag() uint8 {
	if r.err == nil {
		return ResultOk
	}
	return ResultErr
}

// Ok gives the value that is there.
func (r Result[T, E]) Ok() T { return *r.ok }

// Err gives the error that is there.
func (r Result[T, E]) Err() E { return *r.err }

// Ok makes a result of a value.
func Ok[T, E any](value T) Result[T, E] { return Result[T, E]{ok: &value} }

// Err makes a result of an error.
func Err[T, E any](err E) Result[T, E] { return Result[T, E]{err: &err} }
