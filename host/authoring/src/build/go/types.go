// Package wit_types defines the options and results of generated bindings.
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

// Tag returns OptionNone or OptionSome.
func (o Option[T]) Tag() uint8 {
	if o.value == nil {
		return OptionNone
	}
	return OptionSome
}

// Some returns the value of an option that has one.
func (o Option[T]) Some() T { return *o.value }

// Some makes an option of a value.
func Some[T any](value T) Option[T] { return Option[T]{&value} }

// None makes an empty option.
func None[T any]() Option[T] { return Option[T]{} }

// Result is a value or an error.
type Result[T, E any] struct {
	ok  *T
	err *E
}

// Tag returns ResultOk or ResultErr.
func (r Result[T, E]) Tag() uint8 {
	if r.err == nil {
		return ResultOk
	}
	return ResultErr
}

// Ok returns the value of a successful result.
func (r Result[T, E]) Ok() T { return *r.ok }

// Err returns the error of a failed result.
func (r Result[T, E]) Err() E { return *r.err }

// Ok makes a result of a value.
func Ok[T, E any](value T) Result[T, E] { return Result[T, E]{ok: &value} }

// Err makes a result of an error.
func Err[T, E any](err E) Result[T, E] { return Result[T, E]{err: &err} }
