// Package synixtest runs a transform as the host does, with a script in the model's place.
package synixtest

import "synix"

// Ran is what happened in a run.
type Ran struct {
	Outputs  []synix.Output
	Err      error
	Requests []synix.Request
	Lines    []string
}

type script struct {
	ran    *Ran
	answer func(synix.Request) string
}

func (s script) Complete(requests []synix.Request) ([]synix.Response, error) {
	answers := make([]synix.Response, 0, len(requests))
	for _, request := range requests {
		s.ran.Requests = append(s.ran.Requests, request)
		answers = append(answers, synix.Response{Text: s.answer(request), Ending: "complete", Model: "scripted", Details: "{}"})
	}
	return answers, nil
}

func (s script) Log(_ synix.Level, message string) { s.ran.Lines = append(s.ran.Lines, message) }

// Execute runs one unit of all inputs; answer stands in for the model. Not for parallel tests.
func Execute(plugin synix.Plugin, config string, answer func(synix.Request) string, inputs ...synix.Input) Ran {
	ran := Ran{}
	defer synix.SetHost(synix.SetHost(script{&ran, answer}))
	unit := synix.Unit{Key: "unit"}
	for position := range inputs {
		unit.Inputs = append(unit.Inputs, uint32(position))
	}
	ran.Outputs, ran.Err = plugin.Execute(unit, inputs, config)
	return ran
}

// Input is an input of text.
func Input(label, text string) synix.Input {
	return synix.Input{Header: synix.Header{Label: label, Kind: "text"}, Content: synix.Text(text)}
}
