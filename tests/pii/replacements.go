// Replaces what rules find, with Go's regexp as the collector does it: requests and answers are JSON on standard
// input and output.
package main

import (
	"encoding/json"
	"os"
	"regexp"
	"strconv"
	"strings"
)

type rule struct {
	Pattern     string   `json:"pattern"`
	Before      []int    `json:"before"`
	After       []int    `json:"after"`
	Placeholder string   `json:"placeholder"`
	Texts       []string `json:"texts"`
}

type answer struct {
	Error string   `json:"error"`
	Texts []string `json:"texts"`
}

func replaced(r rule) answer {
	pattern, err := regexp.Compile(r.Pattern)
	if err != nil {
		return answer{Error: err.Error()}
	}
	kept := func(groups []int) string {
		text := ""
		for _, group := range groups {
			text += "${" + strconv.Itoa(group) + "}"
		}
		return text
	}
	template := kept(r.Before) + strings.ReplaceAll(r.Placeholder, "$", "$$") + kept(r.After)
	texts := []string{}
	for _, text := range r.Texts {
		texts = append(texts, pattern.ReplaceAllString(text, template))
	}
	return answer{Texts: texts}
}

func main() {
	var rules []rule
	if err := json.NewDecoder(os.Stdin).Decode(&rules); err != nil {
		panic(err)
	}
	answers := []answer{}
	for _, r := range rules {
		answers = append(answers, replaced(r))
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		panic(err)
	}
}
