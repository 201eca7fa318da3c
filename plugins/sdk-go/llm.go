package synix

import "fmt"

// Role is who speaks in a message.
type Role uint8

const (
	System Role = iota
	User
	Assistant
)

// Part is a piece of a message: text, or a picture where MediaType is not empty.
type Part = Content

// Message is one turn of a conversation.
type Message struct {
	Role  Role
	Parts []Part
}

// Request is a question to a model. What is nil or empty is left to the model role.
type Request struct {
	Messages    []Message
	MaxTokens   *uint32
	Temperature *float64
	Stop        []string
	// ResponseFormat is a JSON Schema that the answer must match.
	ResponseFormat string
	// Model is a model role named in the pipeline file.
	Model string
	// Sample is 0 for the first draw; another number asks the same again.
	Sample uint32
	// Options is a JSON object merged into the provider's request.
	Options string
}

// Ask makes a request of one user message.
func Ask(prompt string) Request {
	return Request{Messages: []Message{{Role: User, Parts: []Part{Text(prompt)}}}}
}

// WithMaxTokens bounds the answer.
func (r Request) WithMaxTokens(tokens uint32) Request {
	r.MaxTokens = &tokens
	return r
}

// WithTemperature sets the temperature.
func (r Request) WithTemperature(temperature float64) Request {
	r.Temperature = &temperature
	return r
}

// WithSystem puts instructions before the conversation.
func (r Request) WithSystem(instructions string) Request {
	system := Message{Role: System, Parts: []Part{Text(instructions)}}
	r.Messages = append([]Message{system}, r.Messages...)
	return r
}

// Response is a model's answer.
type Response struct {
	Text string
	// Ending is "complete", "truncated" or the provider's own word.
	Ending                    string
	Model                     string
	InputTokens, OutputTokens uint64
	// Details is a JSON object with what else the provider said.
	Details string
}

// Level is how much a line of the log matters.
type Level uint8

const (
	Trace Level = iota
	Debug
	Info
	Warn
	Failure
)

// Host is what stands behind Complete and Log: the synix host, or a script in a test.
type Host interface {
	Complete(requests []Request) ([]Response, error)
	Log(level Level, message string)
}

var host Host = nobody{}

// SetHost puts another host in place and returns the one before. For the component's own start and for tests.
func SetHost(next Host) Host {
	before := host
	host = next
	return before
}

// Complete asks one question. Its error is to be returned as it is: it is the same on every run.
func Complete(request Request) (Response, error) {
	answers, err := CompleteAll([]Request{request})
	if err != nil {
		return Response{}, err
	}
	return answers[0], nil
}

// CompleteAll asks questions that do not depend on each other in one round.
func CompleteAll(requests []Request) ([]Response, error) { return host.Complete(requests) }

// Log writes one line to the host's log.
func Log(level Level, format string, values ...any) { host.Log(level, fmt.Sprintf(format, values...)) }

type nobody struct{}

func (nobody) Complete([]Request) ([]Response, error) {
	return nil, &Error{"llm-not-granted", "models are not granted to this transform"}
}

func (nobody) Log(Level, string) {}
