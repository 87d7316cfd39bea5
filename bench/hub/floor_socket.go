package hub

import (
	"bufio"
	"crypto/sha1" //nolint:gosec // RFC 6455 wants it
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
)

// answerUpgrade does the least of a WebSocket handshake (RFC 6455, section 4.2).
func answerUpgrade(conn net.Conn, reader *bufio.Reader) error {
	key := ""
	for {
		line, err := reader.ReadString('\n')
		if err != nil {
			return err
		}
		line = strings.TrimSpace(line)
		if line == "" {
			break
		}
		if name, value, _ := strings.Cut(line, ":"); strings.EqualFold(name, "Sec-WebSocket-Key") {
			key = strings.TrimSpace(value)
		}
	}
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	_, err := io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "+
		base64.StdEncoding.EncodeToString(sum[:])+"\r\n\r\n")
	return err
}

var errNotText = errors.New("no whole text message in one frame")

// readFrame reads a client's text message, which must come in one frame, into buffer if that is large enough.
func readFrame(reader *bufio.Reader, buffer []byte) ([]byte, error) {
	var head [8]byte
	if _, err := io.ReadFull(reader, head[:2]); err != nil {
		return nil, err
	}
	if head[0] != 0x81 {
		return nil, errNotText
	}
	size := uint64(head[1] & 0x7F)
	switch size {
	case 126:
		if _, err := io.ReadFull(reader, head[:2]); err != nil {
			return nil, err
		}
		size = uint64(binary.BigEndian.Uint16(head[:2]))
	case 127:
		if _, err := io.ReadFull(reader, head[:8]); err != nil {
			return nil, err
		}
		size = binary.BigEndian.Uint64(head[:8])
	}
	var key [4]byte
	if _, err := io.ReadFull(reader, key[:]); err != nil {
		return nil, err
	}
	if uint64(cap(buffer)) < size {
		buffer = make([]byte, size)
	}
	buffer = buffer[:size]
	if _, err := io.ReadFull(reader, buffer); err != nil {
		return nil, err
	}
	for i := range buffer {
		buffer[i] ^= key[i&3]
	}
	return buffer, nil
}

// appendFrame appends a server's text message.
func appendFrame(dst, text []byte) []byte {
	dst = append(dst, 0x81)
	switch size := len(text); {
	case size <= 125:
		dst = append(dst, byte(size))
	case size <= 0xFFFF:
		dst = binary.BigEndian.AppendUint16(append(dst, 126), uint16(size))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, 127), uint64(size))
	}
	return append(dst, text...)
}
