// Package synixtest runs a transform as the host does, with a script in the model's place.
package synixtest

import (
	"encoding/json"
	"fmt"
	"sort"

	"synix"
)

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

// Execute divides the inputs into units and runs each, as the host does; answer stands in for the model. The outputs
// stand in the order of the units, and the first error ends it. Not for parallel tests.
func Execute(plugin synix.Plugin, config string, answer func(synix.Request) string, inputs ...synix.Input) Ran {
	ran := Ran{}
	defer synix.SetHost(synix.SetHost(script{&ran, answer}))
	units, err := Split(plugin, config, inputs...)
	if err != nil {
		ran.Err = err
		return ran
	}
	for _, unit := range units {
		made, err := run(plugin, unit, config, inputs)
		ran.Outputs = append(ran.Outputs, made...)
		if err != nil {
			ran.Err = err
			return ran
		}
	}
	return ran
}

// ExecuteUnit runs one unit, which names its inputs by their positions.
func ExecuteUnit(plugin synix.Plugin, unit synix.Unit, config string, answer func(synix.Request) string, inputs ...synix.Input) Ran {
	ran := Ran{}
	defer synix.SetHost(synix.SetHost(script{&ran, answer}))
	ran.Outputs, ran.Err = run(plugin, unit, config, inputs)
	return ran
}

// Split divides the inputs into units; an error where they break a rule of the contract.
func Split(plugin synix.Plugin, config string, inputs ...synix.Input) ([]synix.Unit, error) {
	units, err := unitsOf(plugin, config, inputs)
	if err != nil {
		return nil, err
	}
	keys := map[string]bool{}
	for _, unit := range units {
		if keys[unit.Key] {
			return nil, fmt.Errorf("two units have the key `%s`", unit.Key)
		}
		keys[unit.Key] = true
		if len(unit.Inputs) == 0 {
			return nil, fmt.Errorf("the unit `%s` names no input", unit.Key)
		}
		named := map[uint32]bool{}
		for _, position := range unit.Inputs {
			if int(position) >= len(inputs) || named[position] {
				return nil, fmt.Errorf("the unit `%s` names input %d, which is not there or named twice", unit.Key, position)
			}
			named[position] = true
		}
	}
	return units, nil
}

func unitsOf(plugin synix.Plugin, config string, inputs []synix.Input) ([]synix.Unit, error) {
	headers := make([]synix.Header, 0, len(inputs))
	for _, input := range inputs {
		headers = append(headers, input.Header)
	}
	if plugin.Split != nil {
		return plugin.Split(headers, config)
	}
	if plugin.Shape == synix.Grouped {
		return nil, &synix.Error{Code: "no-split", Message: "the plugin promises groups and has no Split"}
	}
	units := make([]synix.Unit, 0, len(inputs))
	for position, header := range headers {
		units = append(units, synix.Unit{Key: header.Label, Inputs: []uint32{uint32(position)}})
	}
	if plugin.Shape == synix.PerInput {
		return units, nil
	}
	sort.SliceStable(units, func(a, b int) bool { return units[a].Key < units[b].Key })
	all := synix.Unit{Key: "all"}
	for _, unit := range units {
		all.Inputs = append(all.Inputs, unit.Inputs...)
	}
	return []synix.Unit{all}, nil
}

func run(plugin synix.Plugin, unit synix.Unit, config string, inputs []synix.Input) ([]synix.Output, error) {
	own := make([]synix.Input, 0, len(unit.Inputs))
	for _, position := range unit.Inputs {
		own = append(own, inputs[position])
	}
	if unit.Config != "" {
		merged := map[string]json.RawMessage{}
		for _, text := range []string{config, unit.Config} {
			if err := json.Unmarshal([]byte(text), &merged); err != nil {
				return nil, fmt.Errorf("the config of the unit `%s`: %w", unit.Key, err)
			}
		}
		text, err := json.Marshal(merged)
		if err != nil {
			return nil, err
		}
		config = string(text)
	}
	return plugin.Execute(unit, own, config)
}

// Input is an input of text.
func Input(label, text string) synix.Input {
	return synix.Input{Header: synix.Header{Label: label, Kind: "text"}, Content: synix.Text(text)}
}
