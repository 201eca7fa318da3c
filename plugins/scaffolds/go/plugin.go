// Package plugin extracts the action items of each input, then orders them by urgency.
package plugin

import (
	"fmt"
	"strings"

	"synix"
)

// Plugin is the transform.
var Plugin = synix.Plugin{
	Name:         "{{name}}",
	Version:      "0.1.0",
	Summary:      "Extracts action items and orders them by urgency",
	ConfigSchema: schema,
	Capabilities: []string{"llm"},
	Shape:        synix.PerInput,
	Execute:      execute,
}

const schema = `{
  "type": "object",
  "properties": {
    "limit": {"type": "integer", "minimum": 1, "maximum": 20, "default": 5, "description": "Most items to list"}
  },
  "additionalProperties": false
}`

func execute(_ synix.Unit, inputs []synix.Input, config string) ([]synix.Output, error) {
	settings := struct {
		Limit int `json:"limit"`
	}{Limit: 5}
	if err := synix.Config(config, &settings); err != nil {
		return nil, err
	}
	var outputs []synix.Output
	for _, input := range inputs {
		text, err := input.Text()
		if err != nil {
			return nil, err
		}
		items, err := ask(fmt.Sprintf("List the action items in this text, one per line, at most %d. "+
			"Write \"none\" if there are none.\n\n%s", settings.Limit, text))
		if err != nil {
			return nil, err
		}
		ordered, err := ask("Order these action items by urgency, most urgent first, one per line.\n\n" + items)
		if err != nil {
			return nil, err
		}
		for _, made := range []synix.Output{
			{Label: input.Label + "-items", Kind: "action-items", Content: synix.Text(items)},
			{Label: input.Label + "-ordered", Kind: "action-items-ordered", Content: synix.Text(ordered)},
		} {
			made.Metadata = synix.Metadata{}
			if err := made.Metadata.Set("source", input.Label); err != nil {
				return nil, err
			}
			if err := made.Metadata.Set("count", countLines(made.Content.Text)); err != nil {
				return nil, err
			}
			outputs = append(outputs, made)
		}
	}
	return outputs, nil
}

func ask(prompt string) (string, error) {
	answer, err := synix.Complete(synix.Ask(prompt).WithMaxTokens(300).WithTemperature(0))
	return strings.TrimSpace(answer.Text), err
}

func countLines(text string) int {
	count := 0
	for _, line := range strings.Split(text, "\n") {
		if strings.TrimSpace(line) != "" {
			count++
		}
	}
	return count
}
