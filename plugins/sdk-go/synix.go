// Package synix is what a transform in Go is written with.
//
// A plugin's package has a variable Plugin of the type synix.Plugin; `synix plugin build` makes a component of it. The
// package compiles for any machine, so `go test` runs it with a script in the model's place: see synix/synixtest.
package synix

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Plugin says what a transform is and does.
type Plugin struct {
	Name    string
	Version string
	// Summary is one line for people.
	Summary string
	// ConfigSchema is the JSON Schema of the layer's config.
	ConfigSchema string
	// Capabilities are the names of those it uses: "llm".
	Capabilities []string
	Shape        Shape
	// Split divides the inputs into units; needed for the shape Grouped only.
	Split func(inputs []Header, config string) ([]Unit, error)
	// Execute makes the outputs of one unit.
	Execute func(unit Unit, inputs []Input, config string) ([]Output, error)
}

// Shape is what the planner may assume of Split.
type Shape uint8

const (
	// PerInput is one unit for each input.
	PerInput Shape = iota
	// Grouped is units that each take some of the inputs.
	Grouped
	// All is one unit that takes every input.
	All
)

// Metadata maps keys to JSON texts.
type Metadata map[string]string

// Set puts a value in as JSON.
func (m Metadata) Set(key string, value any) error {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	// Made for web pages: `<` would become `\u003c`.
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return fmt.Errorf("metadata %q: %w", key, err)
	}
	m[key] = strings.TrimSuffix(text.String(), "\n")
	return nil
}

// Header is all that is known of an input without its content.
type Header struct {
	Label, Kind, Digest string
	Metadata            Metadata
}

// Content is text, or bytes where MediaType is not empty.
type Content struct {
	Text      string
	MediaType string
	Bytes     []byte
}

// Input is an artifact handed to Execute.
type Input struct {
	Header
	Content Content
}

// Text gives the input's text, or an InvalidInput where it has none.
func (i Input) Text() (string, error) {
	if i.Content.MediaType != "" {
		return "", InvalidInput(fmt.Sprintf("the input `%s` is %s, not text", i.Label, i.Content.MediaType))
	}
	return i.Content.Text, nil
}

// Unit is a piece of work: some inputs and what to do with them.
type Unit struct {
	Key string
	// Inputs are positions in the list given to Split.
	Inputs []uint32
	// Config is a JSON object with what the unit adds to the layer's config, or empty.
	Config string
}

// Output is an artifact made by a unit.
type Output struct {
	Label, Kind string
	Content     Content
	Metadata    Metadata
}

// Text is a content of text.
func Text(text string) Content { return Content{Text: text} }

// Config reads a config over the defaults that into holds.
func Config(config string, into any) error {
	if err := json.Unmarshal([]byte(config), into); err != nil {
		return InvalidConfig(err.Error())
	}
	return nil
}

// Error is why a transform could not do its work. Any other error gets the code "other".
type Error struct {
	// Code is "invalid-config", "invalid-input", "invalid-answer" or a name of the plugin's own.
	Code    string
	Message string
}

func (e *Error) Error() string { return e.Message }

// InvalidConfig says that the config cannot be used.
func InvalidConfig(message string) error { return &Error{"invalid-config", message} }

// InvalidInput says that an input cannot be used.
func InvalidInput(message string) error { return &Error{"invalid-input", message} }

// InvalidAnswer says that the model's answer cannot be used.
func InvalidAnswer(message string) error { return &Error{"invalid-answer", message} }
