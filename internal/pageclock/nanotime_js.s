// A package with a file in assembly may declare functions without a body, such as nanotime.
