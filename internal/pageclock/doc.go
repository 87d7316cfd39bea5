// Package pageclock is the clock and the timers of the page that runs this program, or of Node. Packages time
// and context cost the browser's download 57 KB, and their timers are these in the end.
package pageclock
