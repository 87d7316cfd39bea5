package document

import (
	"math"
	"math/bits"
)

// Doubles below about 2^-1021 are multiples of 2^-1074. strconv reads them with decimal arithmetic, digit by digit, a hundred
// times slower than others: a message of seven bytes each could keep a processor busy for seconds. tiny reads those
// of up to 19 digits by one division of whole numbers.

const (
	tinyDigits = 19  // of decimals that a uint64 holds
	tinyLeast  = 308 // least and most powers of ten that such a number is divided by
	tinyMost   = 342
	tinyLimbs  = 14 // 5^342 and what is divided by it have up to 832 bits
)

// big is a whole number, its lowest limb first.
type big [tinyLimbs]uint64

// fives are 5^308 to 5^342.
var fives = func() (table [tinyMost - tinyLeast + 1]big) {
	power := big{1}
	for k := 1; k <= tinyMost; k++ {
		power = power.times(5)
		if k >= tinyLeast {
			table[k-tinyLeast] = power
		}
	}
	return table
}()

func (b big) times(factor uint64) (product big) {
	carry := uint64(0)
	for i := range b {
		high, low := bits.Mul64(b[i], factor)
		var over uint64
		product[i], over = bits.Add64(low, carry, 0)
		carry = high + over
	}
	return product
}

// minus subtracts other, and reports whether other was larger.
func (b big) minus(other *big) (difference big, larger bool) {
	borrow := uint64(0)
	for i := range b {
		difference[i], borrow = bits.Sub64(b[i], other[i], borrow)
	}
	return difference, borrow != 0
}

// tiny returns the double that a valid JSON number means. It is not ok for a number that is not tiny, or that has more
// than 19 digits: such are for strconv.
func tiny(literal string) (f float64, ok bool) {
	mantissa, digits, exponent, ok := decimal(literal)
	if !ok || digits == 0 || digits+exponent > -307 {
		return 0, false
	}
	if digits+exponent <= -324 { // less than half of the least double
		return 0, true
	}
	units, ok := tinyUnits(mantissa, -exponent)
	if literal[0] == '-' {
		return -math.Float64frombits(units), ok
	}
	return math.Float64frombits(units), ok
}

// tinyUnits returns mantissa / 10^k in units of 2^-1074, which are also the bits of that double, rounded to the nearest.
func tinyUnits(mantissa uint64, k int) (units uint64, ok bool) {
	five := &fives[k-tinyLeast]
	// mantissa * 2^1074 / 10^k is rest / 5^k.
	shift := 1074 - k
	var rest big
	high, low := bits.Mul64(mantissa, 1<<(shift%64))
	rest[shift/64], rest[shift/64+1] = low, high
	// The estimate has an error of a few units, and what is subtracted must not be too much.
	estimate := float64(mantissa) / 1e300 * 0x1p1000 / math.Pow10(k-300) * 0x1p74
	if units = uint64(estimate); units >= 1<<53 {
		return 0, false
	}
	units -= min(units, 16)
	part := five.times(units)
	rest, _ = rest.minus(&part)
	for {
		less, larger := rest.minus(five)
		if larger {
			break
		}
		rest, units = less, units+1
	}
	twice := rest.times(2)
	if _, less := twice.minus(five); !less { // they are never equal: 5^308 divides no number of 19 digits
		units++
	}
	return units, true
}

// decimal returns the digits of a number without leading zeros, how many they are, and the power of ten of the last one.
func decimal(literal string) (mantissa uint64, digits, exponent int, ok bool) {
	i, fraction := 0, false
	for ; i < len(literal); i++ {
		switch c := literal[i]; {
		case c == '-':
			continue
		case c == '.':
			fraction = true
			continue
		case c < '0' || c > '9':
		default:
			if fraction {
				exponent--
			}
			if mantissa == 0 && c == '0' {
				continue
			}
			if digits++; digits > tinyDigits {
				return 0, 0, 0, false
			}
			mantissa = mantissa*10 + uint64(c-'0')
			continue
		}
		break
	}
	if i == len(literal) {
		return mantissa, digits, exponent, true
	}
	negative, power := false, 0
	for _, c := range []byte(literal[i+1:]) {
		switch {
		case c == '-':
			negative = true
		case c != '+':
			power = min(power*10+int(c-'0'), 1<<20)
		}
	}
	if negative {
		power = -power
	}
	return mantissa, digits, exponent + power, true
}
