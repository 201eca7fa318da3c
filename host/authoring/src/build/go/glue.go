// Package export_wit_world connects the plugin's package with the generated bindings.
package export_wit_world

import (
	"errors"
	"fmt"
	"runtime"
	"sort"
	"strings"

	"synix"

	llm "wit_component/synix_plugin_llm"
	log "wit_component/synix_plugin_log"
	wit "wit_component/synix_plugin_types"

	plugin "PLUGIN_MODULE"

	witRuntime "go.bytecodealliance.org/pkg/wit/runtime"
	witTypes "go.bytecodealliance.org/pkg/wit/types"
)

func init() { synix.SetHost(guest{}) }

// Describe returns the description of the plugin.
func Describe() wit.Descriptor {
	p := plugin.Plugin
	return wit.Descriptor{
		Name: p.Name, Version: p.Version, Summary: p.Summary, ConfigSchema: p.ConfigSchema,
		Capabilities: p.Capabilities, Shape: wit.Shape(p.Shape),
	}
}

// Split divides the inputs into units.
func Split(headers []wit.Header, config string) (result witTypes.Result[[]wit.Unit, wit.TransformError]) {
	defer witRuntime.EndLines()
	defer func() {
		if reason := recover(); reason != nil {
			result = crashed[[]wit.Unit](reason)
		}
	}()
	if plugin.Plugin.Split == nil && plugin.Plugin.Shape == synix.All {
		return witTypes.Ok[[]wit.Unit, wit.TransformError]([]wit.Unit{unitOfAll(headers)})
	}
	if plugin.Plugin.Split == nil {
		return failed[[]wit.Unit](&synix.Error{Code: "no-split", Message: "the plugin has no Split"})
	}
	given := make([]synix.Header, 0, len(headers))
	for _, header := range headers {
		given = append(given, fromHeader(header))
	}
	units, err := plugin.Plugin.Split(given, config)
	if err != nil {
		return failed[[]wit.Unit](err)
	}
	made := make([]wit.Unit, 0, len(units))
	for _, unit := range units {
		made = append(made, wit.Unit{Key: unit.Key, Inputs: unit.Inputs, Config: option(unit.Config)})
	}
	return witTypes.Ok[[]wit.Unit, wit.TransformError](made)
}

// unitOfAll is the unit of the shape all, with every input in the order of the labels.
func unitOfAll(headers []wit.Header) wit.Unit {
	positions := make([]uint32, len(headers))
	for position := range positions {
		positions[position] = uint32(position)
	}
	sort.Slice(positions, func(a, b int) bool { return headers[positions[a]].Label < headers[positions[b]].Label })
	return wit.Unit{Key: "all", Inputs: positions, Config: option("")}
}

// Execute makes the outputs of one unit.
func Execute(unit wit.Unit, inputs []wit.Input, config string) (result witTypes.Result[[]wit.Output, wit.TransformError]) {
	defer witRuntime.EndLines()
	defer func() {
		if reason := recover(); reason != nil {
			result = crashed[[]wit.Output](reason)
		}
	}()
	if plugin.Plugin.Execute == nil {
		return failed[[]wit.Output](&synix.Error{Code: "no-execute", Message: "the plugin has no Execute"})
	}
	given := make([]synix.Input, 0, len(inputs))
	for _, input := range inputs {
		given = append(given, synix.Input{Header: fromHeader(input.Header), Content: fromContent(input.Content)})
	}
	work := synix.Unit{Key: unit.Key, Inputs: unit.Inputs}
	if unit.Config.Tag() == witTypes.OptionSome {
		work.Config = unit.Config.Some()
	}
	outputs, err := plugin.Plugin.Execute(work, given, config)
	if err != nil {
		return failed[[]wit.Output](err)
	}
	made := make([]wit.Output, 0, len(outputs))
	for _, output := range outputs {
		made = append(made, wit.Output{
			Label: output.Label, Kind: output.Kind, Content: toContent(output.Content), Metadata: toMetadata(output.Metadata),
		})
	}
	return witTypes.Ok[[]wit.Output, wit.TransformError](made)
}

// crashed logs a panic with its stack trace as one message, and returns it as an error, because a trap has no message.
// The caller calls it while the panic unwinds, so the stack is still complete.
func crashed[T any](reason any) witTypes.Result[T, wit.TransformError] {
	// Text that was printed before the panic comes first in the log.
	witRuntime.EndLines()
	message := "panic: " + fmt.Sprint(reason)
	calls := stackTrace()
	log.Write(log.LevelError, truncate(strings.Join(append([]string{truncate(message, 2<<10)}, calls...), "\n  at "), 4<<10))
	first, _, _ := strings.Cut(message, "\n")
	if len(calls) > 0 {
		first = truncate(first, 2<<10) + "\n  at " + calls[0]
	}
	return failed[T](&synix.Error{Code: "crashed", Message: first})
}

// stackTrace returns the calls that led to a panic, the innermost first, in files of the plugin.
func stackTrace() []string {
	counters := make([]uintptr, 256)
	frames := runtime.CallersFrames(counters[:runtime.Callers(1, counters)])
	var found []string
	for panicked := false; len(found) < 30; {
		frame, more := frames.Next()
		switch {
		case frame.Function == "runtime.gopanic":
			// If a panic occurs while another one unwinds, only the later one counts; its frames come first.
			if panicked {
				return found
			}
			panicked = true
		case !panicked || strings.HasPrefix(frame.Function, "runtime."):
		case strings.HasPrefix(frame.Function, "wit_component/export_wit_world."):
			return found
		default:
			file := strings.TrimPrefix(frame.File, "PLUGIN_MODULE/")
			name := frame.Function[strings.LastIndex(frame.Function, "/")+1:]
			found = append(found, fmt.Sprintf("%s:%d in %s", file, frame.Line, name))
		}
		if !more {
			break
		}
	}
	return found
}

// truncate shortens a text to a number of bytes.
func truncate(text string, size int) string {
	if len(text) <= size {
		return strings.ToValidUTF8(text, "\ufffd")
	}
	return strings.ToValidUTF8(text[:size], "")
}

func failed[T any](err error) witTypes.Result[T, wit.TransformError] {
	known := &synix.Error{Code: "other", Message: err.Error()}
	if own := (*synix.Error)(nil); errors.As(err, &own) {
		known.Code = own.Code
	}
	makers := map[string]func(string) wit.TransformError{
		"invalid-config": wit.MakeTransformErrorInvalidConfig,
		"invalid-input":  wit.MakeTransformErrorInvalidInput,
		"invalid-answer": wit.MakeTransformErrorInvalidAnswer,
	}
	if makeError, ok := makers[known.Code]; ok {
		return witTypes.Err[T](makeError(known.Message))
	}
	return witTypes.Err[T](wit.MakeTransformErrorOther(wit.OtherError{Code: known.Code, Message: known.Message}))
}

func fromHeader(header wit.Header) synix.Header {
	metadata := make(synix.Metadata, len(header.Metadata))
	for _, entry := range header.Metadata {
		metadata[entry.Key] = entry.Value
	}
	return synix.Header{Label: header.Label, Kind: header.Kind, Digest: header.Digest, Metadata: metadata}
}

func fromContent(content wit.Content) synix.Content {
	if content.Tag() == wit.ContentText {
		return synix.Text(content.Text())
	}
	blob := content.Bytes()
	return synix.Content{MediaType: blob.MediaType, Bytes: blob.Data}
}

func toContent(content synix.Content) wit.Content {
	if content.MediaType == "" {
		return wit.MakeContentText(content.Text)
	}
	return wit.MakeContentBytes(wit.Blob{MediaType: content.MediaType, Data: content.Bytes})
}

// toMetadata sorts, because the order of a map differs between runs.
func toMetadata(metadata synix.Metadata) []wit.MetadataEntry {
	entries := make([]wit.MetadataEntry, 0, len(metadata))
	for key, value := range metadata {
		entries = append(entries, wit.MetadataEntry{Key: key, Value: value})
	}
	sort.Slice(entries, func(a, b int) bool { return entries[a].Key < entries[b].Key })
	return entries
}

func option(text string) witTypes.Option[string] {
	if text == "" {
		return witTypes.None[string]()
	}
	return witTypes.Some(text)
}

type guest struct{}

func (guest) Log(level synix.Level, message string) { log.Write(log.Level(level), message) }

func (guest) Complete(requests []synix.Request) ([]synix.Response, error) {
	asked := make([]llm.Request, 0, len(requests))
	for _, request := range requests {
		asked = append(asked, toRequest(request))
	}
	result := llm.CompleteAll(asked)
	if result.Tag() == witTypes.ResultErr {
		return nil, fromLlmError(result.Err())
	}
	answers := make([]synix.Response, 0, len(requests))
	for _, answer := range result.Ok() {
		answers = append(answers, synix.Response{
			Text: answer.Text, Ending: fromEnding(answer.Ending), Model: answer.Model,
			InputTokens: answer.Usage.InputTokens, OutputTokens: answer.Usage.OutputTokens, Details: answer.Details,
		})
	}
	return answers, nil
}

func toRequest(request synix.Request) llm.Request {
	messages := make([]llm.Message, 0, len(request.Messages))
	for _, message := range request.Messages {
		parts := make([]llm.Part, 0, len(message.Parts))
		for _, part := range message.Parts {
			if part.MediaType == "" {
				parts = append(parts, llm.MakePartText(part.Text))
			} else {
				parts = append(parts, llm.MakePartImage(wit.Blob{MediaType: part.MediaType, Data: part.Bytes}))
			}
		}
		messages = append(messages, llm.Message{Role: llm.Role(message.Role), Parts: parts})
	}
	asked := llm.Request{
		Messages: messages, MaxTokens: witTypes.None[uint32](), Temperature: witTypes.None[float64](), Stop: request.Stop,
		ResponseFormat: option(request.ResponseFormat), Model: option(request.Model), Sample: request.Sample,
		Options: option(request.Options),
	}
	if request.MaxTokens != nil {
		asked.MaxTokens = witTypes.Some(*request.MaxTokens)
	}
	if request.Temperature != nil {
		asked.Temperature = witTypes.Some(*request.Temperature)
	}
	return asked
}

func fromEnding(ending llm.Ending) string {
	switch ending.Tag() {
	case llm.EndingComplete:
		return "complete"
	case llm.EndingTruncated:
		return "truncated"
	default:
		return ending.Other()
	}
}

func fromLlmError(err llm.LlmError) error {
	switch err.Tag() {
	case llm.LlmErrorNotGranted:
		return &synix.Error{Code: "llm-not-granted", Message: "models are not granted to this transform"}
	case llm.LlmErrorUnknownRole:
		return &synix.Error{Code: "llm-unknown-role", Message: "no model role `" + err.UnknownRole() + "`"}
	case llm.LlmErrorInvalidRequest:
		return &synix.Error{Code: "llm-invalid-request", Message: err.InvalidRequest()}
	case llm.LlmErrorOverLimit:
		return &synix.Error{Code: "llm-over-limit", Message: err.OverLimit()}
	default:
		return &synix.Error{Code: err.Other().Code, Message: err.Other().Message}
	}
}
