// Package pageclock is the clock and the timers of the page that runs this program, or of Node. Package time costs the
// browser's download about 45 KB, and its timers are these in the end.
package pageclock
