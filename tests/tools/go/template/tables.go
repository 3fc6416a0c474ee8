package main

import (
	"fmt"
	"io"
	"strings"
	"unicode"
)

// class names what templates ask of a rune, in one letter.
func class(r rune) byte {
	switch {
	case unicode.IsUpper(r):
		return 'U'
	case unicode.IsLower(r):
		return 'L'
	case unicode.IsTitle(r):
		return 'T'
	case unicode.IsLetter(r):
		return 'O'
	case unicode.IsDigit(r):
		return 'D'
	case unicode.IsNumber(r):
		return 'N'
	case unicode.IsPunct(r):
		return 'P'
	case unicode.IsMark(r), unicode.IsSymbol(r):
		return 'S'
	}
	return '-'
}

// wrapped writes text as the lines of a parenthesised Python string.
func wrapped(w io.Writer, name, doc string, words []string) {
	fmt.Fprintf(w, "\n%s: Final = (\n", name)
	line := ""
	for i, word := range words {
		if i < len(words)-1 {
			word += " "
		}
		if len(line)+len(word) > 80 {
			fmt.Fprintf(w, "    %q\n", line)
			line = ""
		}
		line += word
	}
	fmt.Fprintf(w, "    %q\n)\n\"\"\"%s\"\"\"\n", line, doc)
}

// runs gives "length in hex + class" for every run of equal classes.
func runs() (words []string) {
	start, last := rune(0), class(0)
	for r := rune(1); r <= unicode.MaxRune+1; r++ {
		c := byte(0)
		if r <= unicode.MaxRune {
			c = class(r)
		}
		if c != last {
			words = append(words, fmt.Sprintf("%x%c", r-start, last))
			start, last = r, c
		}
	}
	return words
}

// mapping gives "first,count,step,delta" for every progression of runes that
// f moves by the same delta.
func mapping(f func(rune) rune) (words []string) {
	type pair struct{ from, delta rune }
	var pairs []pair
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if to := f(r); to != r {
			pairs = append(pairs, pair{r, to - r})
		}
	}
	for i := 0; i < len(pairs); {
		j, step := i+1, rune(1)
		if j < len(pairs) && pairs[j].from-pairs[i].from <= 2 {
			step = pairs[j].from - pairs[i].from
		}
		for j < len(pairs) && pairs[j].delta == pairs[i].delta && pairs[j].from-pairs[j-1].from == step {
			j++
		}
		words = append(words, fmt.Sprintf("%x,%x,%d,%d", pairs[i].from, j-i, step, pairs[i].delta))
		i = j
	}
	return words
}

func tables(w io.Writer) {
	fmt.Fprintf(w, "\"\"\"What Go's unicode package knows of runes (Unicode %s).\n\n", unicode.Version)
	fmt.Fprintln(w, strings.Join([]string{
		"Python's own database changes with the interpreter; templates must not.",
		"Written by tests/tools/go/template with -tables; do not edit.",
		`"""`, "", "from __future__ import annotations", "", "from typing import Final"}, "\n"))
	wrapped(w, "CLASSES", "Runs of runes from U+0000: length in hex, then the class: U, L and T for upper,\nlower and title case letters, O other letters, D digits, N other numbers,\nP punctuation, S symbols and marks, - what is not printed.", runs())
	wrapped(w, "UPPER", "Progressions of runes with an upper case: first and count in hex, step, delta.", mapping(unicode.ToUpper))
	wrapped(w, "LOWER", "Progressions of runes with a lower case, written as in `UPPER`.", mapping(unicode.ToLower))
	wrapped(w, "TITLE", "Progressions of runes with a title case, written as in `UPPER`.", mapping(unicode.ToTitle))
}
