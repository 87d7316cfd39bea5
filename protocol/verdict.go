package protocol

import "strconv"

func appendVerdicts(dst []byte, verdicts []Verdict) []byte {
	dst = append(dst, '[')
	for i := range verdicts {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = verdicts[i].append(dst)
	}
	return append(dst, ']')
}

func (v *Verdict) append(dst []byte) []byte {
	dst = strconv.AppendUint(append(dst, '['), v.Number, 10)
	dst = appendInts(dst, v.Version)
	if v.Version == 0 {
		dst = appendInts(dst, uint64(v.Code))
		dst = appendReason(append(dst, ','), v.Reason)
	}
	return append(dst, ']')
}

// verdicts reads the verdicts of a jump, whose numbers ascend to mark at most.
func (r *reader) verdicts(mark uint64) []Verdict {
	if !r.advance() {
		return nil
	}
	if r.json.Kind() != '[' {
		r.bad(r.expected("an array of verdicts", r.raw()))
		return nil
	}
	r.delimiter()
	var verdicts []Verdict
	last := uint64(0)
	for r.more() {
		v := r.verdict()
		if r.err == nil && (v.Number <= last || v.Number > mark) {
			r.bad(r.where() + ": the numbers must ascend from 1 to the mark")
		}
		last = v.Number
		verdicts = append(grow(verdicts), v)
	}
	r.delimiter()
	return verdicts
}

// verdict reads [number, version] or [number, 0, code, reason].
func (r *reader) verdict() (v Verdict) {
	if r.json.Kind() != '[' {
		r.bad(r.where() + " must hold arrays, not " + excerpt(r.raw()))
		return v
	}
	r.delimiter()
	v.Number, v.Version = r.item(1, MaxInteger), r.item(0, MaxInteger)
	if v.Version == 0 {
		v.Code = Code(r.item(4000, 4999))
		v.Reason = r.itemReason()
	}
	if r.more() {
		r.bad(r.where() + ": a verdict" + verdictRule)
	}
	r.delimiter()
	return v
}

const verdictRule = " must be [number, version] or [number, 0, code, reason]"

// item reads an integer inside a verdict.
func (r *reader) item(least, most uint64) uint64 {
	if r.more() {
		raw := r.raw()
		if n, ok := parseInteger(raw); ok && n >= least && n <= most {
			return n
		}
	}
	r.bad(r.where() + ": a verdict" + verdictRule)
	return 0
}

// itemReason reads a reason inside a verdict.
func (r *reader) itemReason() string {
	if r.more() {
		if text, ok := unquote(r.raw()); ok && validReason(string(text)) {
			return string(text)
		}
	}
	r.bad(r.where() + ": a reason must be " + reasonRule)
	return ""
}
