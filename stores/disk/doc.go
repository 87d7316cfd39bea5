// Package disk keeps states in a folder, in one append-only log of their own format: see frame for what an entry is.
//
// The log is a sequence of files, log-SEQ, each named by the seq of its first frame. Whatever is told is appended; one
// goroutine writes what waits, of all states and sessions, at once, and syncs it once. What is alive is known by an index
// in memory that is built when the log is read at the start. When more than half of the log is dead, the oldest file's
// living frames are appended again, and the file is removed; so a frame that says "removed" is always younger than
// what it removes.
//
// What is read is checked: seq has no gaps, versions have none, and each head and body has a checksum. The end of the log
// that was not synced yet when the machine stopped is cut where the first frame is not whole. Anything else that is not as it
// was written is damage: it is told with the state's name and stays where it is.
package disk
