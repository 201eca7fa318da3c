// Package plugin asks the model the text of its input.
package plugin

import "synix"

// Plugin is the transform.
var Plugin = synix.Plugin{
	Name:         "items",
	Version:      "0.1.0",
	Summary:      "Asks the model the text of its input",
	ConfigSchema: `{"type": "object"}`,
	Capabilities: []string{"llm"},
	Shape:        synix.PerInput,
	Execute:      execute,
}

func execute(_ synix.Unit, inputs []synix.Input, _ string) ([]synix.Output, error) {
	text, err := inputs[0].Text()
	if err != nil {
		return nil, err
	}
	answer, err := synix.Complete(synix.Ask(text).WithMaxTokens(100))
	if err != nil {
		return nil, err
	}
	return []synix.Output{{Label: inputs[0].Label, Kind: "text", Content: synix.Text(answer.Text)}}, nil
}
