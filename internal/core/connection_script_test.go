package core

var connectionScripts = map[string]string{
	"hello and joins are one frame": `
		join abc
		start
		! dial 1
		! status
		phase connecting joining
		connected
		> ["hello","0123456789abcdef","me",{"connection":1}]
		> ["join",1,"abc"]
		< ["welcome","s1",{"heartbeat":15000,"window":3,"windowBytes":1000,"maxMessage":4000}]
		! status
		< ["joined",1,"e",1,0,[],{"a":1}]
		! changed catch-up 0-1 {"a":1} was {}
		! joined fresh
		phase connected joined
	`,
	"an empty state joins without an update": `
		join abc
		start
		connected
		> ["hello","0123456789abcdef","me",{"connection":1}]
		> ["join",1,"abc"]
		< ["welcome","s1",{"heartbeat":15000,"window":3,"windowBytes":1000,"maxMessage":4000}]
		! dial 1
		! status
		! status
		< ["joined",1,"e",0,0,[],{}]
		! joined fresh
	`,
	"several states on one connection": opening + `
		join other
		> ["join",2,"other"]
		< ["entries",1,2,[["add",["a"],1]]]
		< ["joined",2,"f",7,0,[],{"b":2}]
		< ["entries",2,8,[["remove",["b"]]]]
		! changed remote 1-2 {"a":1} was {}
		! changed catch-up 0-7 {"b":2} was {}
		! joined fresh
		! changed remote 7-8 {} was {"b":2} removed b
		join abc
		> nothing
	`,
	"a join that was not sent is taken back": opening + `
		join other
		leave other
		> nothing
		! ...
	`,
	"a ping is answered": opening + `
		< ["ping"]
		> ["pong"]
	`,
	"a connection that is silent for two heartbeats is given up": opening + `
		wake 30001
		tick 30000
		< ["ping"]
		wake 60000
		tick 59999
		! 
		tick 60000
		! disconnect 4001 nothing came for two heartbeats
		! problem heartbeat_timeout: nothing came for two heartbeats
		! status
		phase waiting joined
	`,
	"dialing has a timeout": `
		start
		join abc
		wake 10001
		tick 10001
		! dial 1
		! status
		! disconnect 4004 the connection was not made in time
		! problem handshake_timeout: the connection was not made in time
		! status
	`,
	"the welcome has a timeout": `
		start
		join abc
		tick 500
		connected
		! ...
		wake 10500
		tick 10500
		! disconnect 4004 the server did not answer hello in time
		! problem handshake_timeout: the server did not answer hello in time
		! status
	`,
	"the backoff doubles up to its cap": `
		start
		join abc
		! ...
		lost 0 refused
		wake 309
		tick 309
		lost 0 refused
		wake 1117
		tick 1117
		lost 0 refused
		wake 2925
		tick 2925
		! ...
		lost 0 refused
		! problem code 1006: refused
		! status
		tick 100000
		lost 0
		tick 200000
		lost 0
		wake 207808
		tick 300000
		lost 0
		wake 315808
	`,
	"a connection that was welcomed and dropped does not reset the backoff": `
		start
		join abc
		lost 0
		tick 1000
		connected
		< ["welcome","s1",{"heartbeat":15000,"window":3,"windowBytes":1000,"maxMessage":4000}]
		tick 2999
		lost 1006
		wake 3807
	`,
	"a stable connection resets the backoff": `
		start
		join abc
		lost 0
		tick 1000
		connected
		< ["welcome","s1",{"heartbeat":15000,"window":3,"windowBytes":1000,"maxMessage":4000}]
		tick 11000
		lost 1006
		wake 11308
		! ...
		tick 11308
		! dial 1
		! status
	`,
	"the server's advice to wait is followed, and the network's return does not shorten it": opening + `
		< ["bye",4000,"restart",60000]
		! disconnect 0
		! problem shutting_down: restart
		! status
		wake 60309
		online
		wake 60001
	`,
	"the network's return ends a backoff": `
		start
		join abc
		lost 0
		! ...
		online
		! dial 2
		! status
	`,
	"a terminal bye ends the client": opening + `
		merge {"x":1}
		> ["merge",1,1,1,{"x":1}]
		merge {"y":1}
		! ...
		< ["bye",4100,"token expired",0]
		! disconnect 0
		! terminal unauthorized: token expired
		! settled 1 sent outcome_unknown: token expired
		! settled 2 unsent unauthorized: token expired
		! changed rollback 1-1 {} was {"x":1,"y":1} removed x,y
		! closed unauthorized: token expired
		! status
		phase failed closed
		wake 0
		merge {}
		fails unauthorized: token expired
		join other
		! closed unauthorized: token expired
	`,
	"a terminal close code ends the client": opening + `
		lost 4106 newer connection
		! terminal session_taken: newer connection
		! closed session_taken: newer connection
		! status
	`,
	"close settles everything": opening + `
		merge {"x":1}
		! ...
		close
		! settled 1 unsent closed: the client was closed
		! changed rollback 1-1 {} was {"x":1} removed x
		! closed closed: the client was closed
		! disconnect 1000 the client was closed
		! status
		phase closed closed
		merge {}
		fails closed: the client was closed
	`,
	"an identifier that cannot be": `
		start
		! ...
		join 
		! closed identifier_invalid: "" is not a string of 1 to 256 bytes of valid UTF-8 without control characters
	`,
	"nothing comes before the welcome": `
		join abc
		start
		connected
		> ["hello","0123456789abcdef","me",{"connection":1}]
		> ["join",1,"abc"]
		! ...
		< ["joined",1,"e",1,0,[],{}]
		! disconnect 4103 the server broke the protocol: a message came before the welcome
		! problem code 1002: the server broke the protocol: a message came before the welcome
		! status
	`,
	"a frame that is no JSON": opening + `
		< nonsense
		! disconnect 4103 the server broke the protocol: bad_message: the text is not JSON from byte 1 on
		! problem code 1002: the server broke the protocol: bad_message: the text is not JSON from byte 1 on
		! status
	`,
	"a message for a state that was never joined": opening + `
		< ["entries",2,2,[]]
		! disconnect 4103 the server broke the protocol: a message for state number 2, which was never joined
		! problem code 1002: the server broke the protocol: a message for state number 2, which was never joined
		! status
	`,
	"what was on its way to a state that was left is ignored": opening + `
		leave
		> ["leave",1]
		< ["entries",1,2,[["add",["a"],1]]]
		! 
	`,
}
