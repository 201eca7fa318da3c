// Package plugin joins the inputs of each topic; it asks nothing.
package plugin

import (
	"encoding/json"
	"regexp"
	"sort"
	"strings"

	"synix"
)

// Plugin is the transform.
var Plugin = synix.Plugin{
	Name:         "topics",
	Version:      "0.1.0",
	Summary:      "Joins the inputs of each topic",
	ConfigSchema: `{"type": "object", "additionalProperties": false}`,
	Shape:        synix.Grouped,
	Split:        split,
	Execute:      join,
}

func split(inputs []synix.Header, _ string) ([]synix.Unit, error) {
	topics := map[string][]uint32{}
	for position, header := range inputs {
		topic := topicOf(header)
		topics[topic] = append(topics[topic], uint32(position))
	}
	var units []synix.Unit
	for topic, positions := range topics {
		sort.Slice(positions, func(a, b int) bool { return inputs[positions[a]].Label < inputs[positions[b]].Label })
		units = append(units, synix.Unit{Key: topic, Inputs: positions})
	}
	// The order of a map differs from run to run.
	sort.Slice(units, func(a, b int) bool { return units[a].Key < units[b].Key })
	return units, nil
}

var usable = regexp.MustCompile(`^[ -~]{1,100}$`)

// topicOf takes what it can use: the metadata are whatever stands in a note, and a unit's key has 1 to 512 characters
// and no control characters.
func topicOf(header synix.Header) string {
	var topic string
	if json.Unmarshal([]byte(header.Metadata["topic"]), &topic) != nil || !usable.MatchString(topic) {
		return "none"
	}
	return topic
}

func join(unit synix.Unit, inputs []synix.Input, _ string) ([]synix.Output, error) {
	texts := make([]string, 0, len(inputs))
	for _, input := range inputs {
		text, err := input.Text()
		if err != nil {
			return nil, err
		}
		texts = append(texts, text)
	}
	made := synix.Output{Label: unit.Key, Kind: "digest", Content: synix.Text(strings.Join(texts, "\n")), Metadata: synix.Metadata{}}
	return []synix.Output{made}, made.Metadata.Set("count", len(inputs))
}
