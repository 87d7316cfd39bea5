package server

import "reflect"

// owner is to whom a session belongs: whoever it was first authorized for. Two owners are the same client if they are
// equal with ==.
type owner struct {
	subject string // as the program's own method says
	plain   any    // without that method: the information itself, where == means something
	other   bool   // there is information, and it is not plain
}

// ownerOf returns whom the information of an authorization stands for: its Subject() where it has that method, else
// the information itself if it is made of booleans, numbers and strings, in structs and arrays too. All else, such as a
// pointer, a map or a slice, is another one at each handshake, and says nothing. It calls a method of the program.
func ownerOf(clientInformation any) owner {
	if known, ok := clientInformation.(interface{ Subject() string }); ok {
		return owner{subject: known.Subject(), other: true}
	}
	if v := reflect.ValueOf(clientInformation); v.IsValid() && !isPlain(v) {
		return owner{other: true}
	}
	return owner{plain: clientInformation}
}

// isPlain reports whether == compares what the value says, and nothing of where it lies in memory.
func isPlain(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Array:
		for i := range v.Len() {
			if !isPlain(v.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Struct:
		for i := range v.NumField() {
			if !isPlain(v.Field(i)) {
				return false
			}
		}
		return true
	case reflect.Interface:
		return v.IsNil() || isPlain(v.Elem())
	}
	return reflect.Bool <= v.Kind() && v.Kind() <= reflect.Complex128 || v.Kind() == reflect.String
}
