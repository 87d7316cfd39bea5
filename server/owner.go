package server

// ownerOf returns whom an authorization stands for: its information's Subject(), where it has that method. Without it
// nobody in particular: information such as claims changes with each token, so it cannot be told whether it means the
// same client, and only the clientIdentifier and the secret session id bind the session. It calls a method of the program.
func ownerOf(clientInformation any) string {
	if known, ok := clientInformation.(interface{ Subject() string }); ok {
		return known.Subject()
	}
	return ""
}
