package core

// reopening loses the connection, dials again and says hello.
var reopening = reopeningAt("5000")

func reopeningAt(time string) string {
	return `
		lost 1006
		tick ` + time + `
		connected
		! ...
	`
}

const welcome = `["welcome","s1",{"heartbeat":15000,"window":3,"windowBytes":1000,"maxMessage":4000}]`

var resumeScripts = map[string]string{
	"a resume goes on after the cursor": opening + `
		< ["entries",1,2,[["add",["a"],1]]]
		lost 1006 gone
		! changed remote 1-2 {"a":1} was {}
		! problem code 1006: gone
		! status
		tick 5000
		! dial 2
		! status
		connected
		> ["hello","0123456789abcdef","me",{"connection":2,"epoch":"s1"}]
		> ["join",1,"abc","e",2,0]
		< ` + welcome + `
		< ["joined",1,"e",2,0]
		< ["entries",1,3,[["add",["a"],2]]]
		! joined resumed
		! changed remote 2-3 {"a":2} was {"a":1}
		! status
	`,
	"changes made while offline are sent after the join": opening + reopening + `
		merge {"x":1}
		! changed local 1-1 {"x":1} was {}
		> ["hello","0123456789abcdef","me",{"connection":2,"epoch":"s1"}]
		> ["join",1,"abc","e",1,0]
		< ` + welcome + `
		> nothing
		< ["joined",1,"e",1,0]
		> ["merge",1,1,1,{"x":1}]
	`,
	"what the server has not received is sent again as it was": opening + `
		patch [{"op":"replace","path":"/list/1","value":"B"}]
		> ["patch",1,1,1,[["replace",["list",1],"B"]]]
		merge {"x":2}
		> ["merge",1,2,1,{"x":2}]
		merge {"x":3}
		` + reopening + `
		> ["hello","0123456789abcdef","me",{"connection":2,"epoch":"s1"}]
		> ["join",1,"abc","e",1,0]
		< ` + welcome + `
		< ["joined",1,"e",1,0]
		< ["entries",1,2,[["add",["list",0],"new"]]]
		> ["patch",1,1,1,[["replace",["list",1],"B"]]]
		> ["merge",1,2,1,{"x":2}]
		> ["merge",1,3,2,{"x":3}]
		view {"count":0,"list":["new","a","B"],"x":3}
	`,
	"what the server has received is not sent again": opening + `
		merge {"x":1}
		merge {"x":2}
		> ["merge",1,1,1,{"x":1}]
		> ["merge",1,2,1,{"x":2}]
		` + reopening + `
		> ["hello","0123456789abcdef","me",{"connection":2,"epoch":"s1"}]
		> ["join",1,"abc","e",1,0]
		< ` + welcome + `
		< ["joined",1,"e",1,1]
		> ["merge",1,2,1,{"x":2}]
		! ...
		< ["accepted",1,1,2]
		! settled 1 accepted 2
		< ["refused",1,2,4300,"no"]
		! settled 2 sent refused: no
		! changed rollback 1-2 {"x":1} was {"x":2}
	`,
	"a forgotten session settles what was sent": opening + `
		merge {"x":1}
		> ["merge",1,1,1,{"x":1}]
		< ["accepted",1,1,2]
		merge {"x":2}
		merge {"y":1}
		> ["merge",1,2,2,{"x":2}]
		> ["merge",1,3,2,{"y":1}]
		patch [{"op":"add","path":"/list/0","value":"z"}]
		` + reopening + `
		> ["hello","0123456789abcdef","me",{"connection":2,"epoch":"s1"}]
		> ["join",1,"abc","e",2,1]
		< ["welcome","s2",{"heartbeat":15000,"window":3,"windowBytes":1000,"maxMessage":4000}]
		< ["joined",1,"e",2,0]
		! settled 2 sent outcome_unknown: the server has forgotten the session, so nobody can tell whether the change was accepted
		! settled 3 sent outcome_unknown: the server has forgotten the session, so nobody can tell whether the change was accepted
		! changed rollback 2-2 {"x":1} was {"x":2,"y":1} removed y
		! joined resumed
		! status
		> ["patch",1,1,2,[["add",["list",0],"z"]]]
	`,
	"a mark below what was answered tells of a forgotten session": opening + `
		merge {"x":1}
		> ["merge",1,1,1,{"x":1}]
		< ["accepted",1,1,2]
		merge {"x":2}
		> ["merge",1,2,2,{"x":2}]
		` + reopening + `
		> ["hello","0123456789abcdef","me",{"connection":2,"epoch":"s1"}]
		> ["join",1,"abc","e",2,1]
		< ` + welcome + `
		< ["joined",1,"e",2,0]
		! settled 2 sent outcome_unknown: the server has forgotten the session, so nobody can tell whether the change was accepted
		! changed rollback 2-2 {"x":1} was {"x":2}
		! joined resumed
		! status
	`,
	"a lost welcome may have told of a forgotten session": opening + `
		merge {"x":1}
		> ["merge",1,1,1,{"x":1}]
		lost 1006
		tick 5000
		connected
		> ["hello","0123456789abcdef","me",{"connection":2,"epoch":"s1"}]
		> ["join",1,"abc","e",1,0]
		lost 1006
		tick 9000
		connected
		> ["hello","0123456789abcdef","me",{"connection":3,"epoch":"s1"}]
		> ["join",1,"abc","e",1,0]
		! ...
		< ["welcome","s2",{"heartbeat":15000,"window":3,"windowBytes":1000,"maxMessage":4000}]
		< ["joined",1,"e",1,0]
		! settled 1 sent outcome_unknown: the server has forgotten the session, so nobody can tell whether the change was accepted
		! changed rollback 1-1 {} was {"x":1} removed x
		! joined resumed
		! status
	`,
	"a snapshot at the join settles what it has behind it": opening + `
		merge {"x":1}
		merge {"x":2}
		merge {"x":3}
		> ["merge",1,1,1,{"x":1}]
		> ["merge",1,2,1,{"x":2}]
		> ["merge",1,3,1,{"x":3}]
		` + reopening + `
		> ["hello","0123456789abcdef","me",{"connection":2,"epoch":"s1"}]
		> ["join",1,"abc","e",1,0]
		< ` + welcome + `
		< ["joined",1,"e",9,2,[[1,5],[2,0,4300,"no"]],{"count":4,"x":1}]
		! settled 1 accepted 5
		! settled 2 sent refused: no
		! changed catch-up 1-9 {"count":4} was {"count":0,"list":["a","b"]} removed list
		! joined fresh
		! status
		> ["merge",1,3,1,{"x":3}]
		view {"count":4,"x":3}
	`,
	"another epoch replaces what was pending": opening + `
		merge {"x":1}
		> ["merge",1,1,1,{"x":1}]
		merge {"y":1}
		` + reopening + `
		> ["hello","0123456789abcdef","me",{"connection":2,"epoch":"s1"}]
		> ["join",1,"abc","e",1,0]
		< ` + welcome + `
		< ["joined",1,"f",0,0,[],{"count":0}]
		! settled 1 sent state_replaced: the state was made anew: it was removed, or a server without its data was started
		! settled 2 unsent state_replaced: the state was made anew: it was removed, or a server without its data was started
		! problem state_replaced: state abc: the state was made anew: it was removed, or a server without its data was started
		! changed catch-up 1-0 {} was {"list":["a","b"],"x":1,"y":1} removed list,x,y
		! joined fresh
		! status
		merge {"z":1}
		> ["merge",1,1,0,{"z":1}]
	`,
	"the same epoch at an earlier version is another one": opening + `
		< ["entries",1,2,[["add",["a"],1]]]
		merge {"x":1}
		` + reopening + `
		> ["hello","0123456789abcdef","me",{"connection":2,"epoch":"s1"}]
		> ["join",1,"abc","e",2,0]
		< ` + welcome + `
		< ["joined",1,"e",1,0,[],{"count":0}]
		! settled 1 unsent state_replaced: the state was made anew: it was removed, or a server without its data was started
		! problem state_replaced: state abc: the state was made anew: it was removed, or a server without its data was started
		! changed catch-up 2-1 {} was {"a":1,"list":["a","b"],"x":1} removed a,list,x
		! joined fresh
		! status
	`,
	"a gap in the versions makes the client join with a snapshot": opening + `
		merge {"x":1}
		> ["merge",1,1,1,{"x":1}]
		! ...
		< ["entries",1,2,[["add",["a"],1]]]
		< ["entries",1,4,[["add",["a"],2]]]
		! changed remote 1-2 {"a":1} was {}
		! disconnect 4103 the server broke the protocol: state abc: version 4 came after version 2
		! problem code 1002: the server broke the protocol: state abc: version 4 came after version 2
		! status
		tick 5000
		connected
		> ["hello","0123456789abcdef","me",{"connection":2,"epoch":"s1"}]
		> ["join",1,"abc"]
		! ...
		< ` + welcome + `
		< ["joined",1,"e",4,0,[],{"a":2}]
		! changed catch-up 2-4 {"a":2} was {"a":1,"count":0,"list":["a","b"]} removed count,list
		! joined fresh
		! status
		> ["merge",1,1,1,{"x":1}]
	`,
	"an entry that does not apply makes the client join with a snapshot": opening + `
		< ["entries",1,2,[["remove",["nowhere"]]]]
		! disconnect 4103 the server broke the protocol: version 2 of abc cannot be applied: path_not_found: the object has no member "nowhere" (at /nowhere)
		! problem code 1002: the server broke the protocol: version 2 of abc cannot be applied: path_not_found: the object has no member "nowhere" (at /nowhere)
		! status
		tick 5000
		connected
		> ["hello","0123456789abcdef","me",{"connection":2,"epoch":"s1"}]
		> ["join",1,"abc"]
		view {"count":0,"list":["a","b"]}
	`,
	"a resume that was not asked for": opening + reopening + `
		> ["hello","0123456789abcdef","me",{"connection":2,"epoch":"s1"}]
		> ["join",1,"abc","e",1,0]
		< ` + welcome + `
		< ["joined",1,"e",2,0]
		! disconnect 4103 the server broke the protocol: state abc: a resume was granted at version 2 of epoch e, which was not asked for
		! problem code 1002: the server broke the protocol: state abc: a resume was granted at version 2 of epoch e, which was not asked for
		! status
	`,
}

var jumpScripts = map[string]string{
	"a catch-up is one jump and one update": opening + `
		< ["catchup",1,1,50,{"a":1},["list"],0,[]]
		! changed catch-up 1-50 {"a":1} was {"list":["a","b"]} removed list
		version 50
		< ["entries",1,51,[["add",["a"],2]]]
		! changed remote 50-51 {"a":2} was {"a":1}
	`,
	"a snapshot is one jump and one update": opening + `
		< ["entries",1,2,[["add",["a"],1]]]
		< ["snapshot",1,9,{"count":0,"b":2},0,[]]
		< ["entries",1,10,[["add",["a"],1]]]
		! changed remote 1-2 {"a":1} was {}
		! changed catch-up 2-9 {"b":2} was {"a":1,"list":["a","b"]} removed a,list
		! changed remote 9-10 {"a":1} was {}
	`,
	"a jump settles first, and keeps what can be replayed": opening + `
		merge {"x":1}
		patch [{"op":"add","path":"/list/-","value":"c"}]
		patch [{"op":"increment","path":"/count","value":1}]
		patch [{"op":"replace","path":"/list/0","value":"A"}]
		> ["merge",1,1,1,{"x":1}]
		> ["patch",1,2,1,[["add",["list","-"],"c"]]]
		> ["patch",1,3,1,[["increment",["count"],1]]]
		! ...
		< ["catchup",1,1,50,{"list":["z"],"x":5},[],3,[[1,7],[2,0,4300,"no"]]]
		! settled 1 accepted 7
		! settled 2 sent refused: no
		! settled 4 unsent base_too_old: the changes since the version that it was made for are not known
		! changed catch-up 1-50 {"list":["z"],"x":5} was {"list":["A","b","c"],"x":1}
		view {"count":1,"list":["z"],"x":5}
		< ["accepted",1,3,51]
		! settled 3 accepted 51
	`,
	"an index beside the properties of a catch-up stays": opening + `
		merge {"x":1}
		patch [{"op":"replace","path":"/list/0","value":"A"}]
		> ["merge",1,1,1,{"x":1}]
		! ...
		< ["catchup",1,1,50,{"count":9,"x":1},[],1,[[1,7]]]
		! settled 1 accepted 7
		! changed catch-up 1-50 {"count":9} was {"count":0}
		> ["patch",1,2,50,[["replace",["list",0],"A"]]]
	`,
	"a sent change with an index is hidden after a jump": opening + `
		patch [{"op":"replace","path":"/list/0","value":"A"}]
		> ["patch",1,1,1,[["replace",["list",0],"A"]]]
		! ...
		< ["snapshot",1,50,{"list":["z","a"]},1,[]]
		! changed catch-up 1-50 {"list":["z","a"]} was {"count":0,"list":["A","b"]} removed count
		hidden 1
		< ["accepted",1,1,51,[["replace",["list",1],"A"]]]
		! settled 1 accepted 51
		! changed remote 50-51 {"list":["z","A"]} was {"list":["z","a"]}
	`,
	"a transaction beside a catch-up stays, and one that it concerns goes stale": opening + `
		merge {"x":1}
		merge {"x":2}
		merge {"x":3}
		basis
		transaction [list] {"y":1}
		transaction [count] {"z":1}
		> ["merge",1,1,1,{"x":1}]
		> ["merge",1,2,1,{"x":2}]
		> ["merge",1,3,1,{"x":3}]
		! ...
		< ["catchup",1,1,50,{"count":9},[],0,[]]
		! settled 5 unsent stale: a property that the transaction read or wrote has changed since
		! changed catch-up 1-50 {"count":9} was {"count":0,"z":1} removed z
		< ["accepted",1,1,51]
		> ["transaction",1,4,51,{"y":1},["list"],1]
	`,
	"a catch-up from another version breaks the protocol": opening + `
		< ["catchup",1,2,50,{},[],0,[]]
		! disconnect 4103 the server broke the protocol: state abc: a catch-up from version 2 came at version 1
		! problem code 1002: the server broke the protocol: state abc: a catch-up from version 2 came at version 1
		! status
	`,
	"what a list of verdicts passes over is unknown": opening + `
		merge {"x":1}
		merge {"y":1}
		> ["merge",1,1,1,{"x":1}]
		> ["merge",1,2,1,{"y":1}]
		! ...
		< ["snapshot",1,50,{"y":1},2,[[2,9]]]
		! settled 1 sent outcome_unknown: the server has answered a later change and not this one
		! settled 2 accepted 9
		! changed catch-up 1-50 {} was {"count":0,"list":["a","b"],"x":1} removed count,list,x
	`,
}

var endScripts = map[string]string{
	"leave settles what is pending": opening + `
		merge {"x":1}
		! ...
		leave
		! settled 1 unsent closed: the state was left
		! changed rollback 1-1 {} was {"x":1} removed x
		> ["leave",1]
		phase connected closed
		merge {}
		fails not_connected_to_state: the state was left, or ended by the server
	`,
	"the last of several users leaves": opening + `
		join abc
		leave
		> nothing
		leave
		> ["leave",1]
		leave
		> nothing
	`,
	"a leave waits for the answers to what was sent, and a new join for the leave": opening + `
		merge {"x":1}
		> ["merge",1,1,1,{"x":1}]
		merge {"y":1}
		! ...
		leave
		! settled 1 sent closed: the state was left
		! settled 2 unsent closed: the state was left
		! changed rollback 1-1 {} was {"x":1,"y":1} removed x,y
		join abc
		> nothing
		< ["entries",1,2,[["add",["a"],1]]]
		> nothing
		< ["accepted",1,1,3]
		> ["leave",1]
		> ["join",2,"abc"]
		< ["joined",2,"e",3,1,[[1,3]],{"a":1,"x":1}]
		! changed catch-up 0-3 {"a":1,"x":1} was {}
		! joined fresh
		merge {"z":1}
		> ["merge",2,2,3,{"z":1}]
	`,
	"an accepted change of before a reconnect that cannot be told makes the client join anew": opening + `
		merge {"x":1}
		> ["merge",1,1,1,{"x":1}]
		leave
		join abc
		` + reopening + `
		> ["hello","0123456789abcdef","me",{"connection":2,"epoch":"s1"}]
		> ["join",1,"abc"]
		< ` + welcome + `
		< ["joined",1,"e",1,1,[],{"count":0}]
		! changed catch-up 0-1 {"count":0} was {}
		! joined fresh
		! status
		< ["accepted",1,1,2]
		> ["leave",1]
		> ["join",2,"abc"]
		< ["joined",2,"e",2,1,[[1,2]],{"count":0,"x":1}]
		! changed catch-up 1-2 {"x":1} was {}
		! joined fresh
	`,
	"what was left behind unanswered counts until its answer comes": opening + `
		merge {"x":1}
		> ["merge",1,1,1,{"x":1}]
		leave
		join abc
		` + reopening + `
		> ["hello","0123456789abcdef","me",{"connection":2,"epoch":"s1"}]
		> ["join",1,"abc"]
		< ` + welcome + `
		< ["joined",1,"e",1,1,[],{"count":0,"list":["a"]}]
		basis
		transaction all {"count":1}
		patch [{"op":"remove","path":"/list/0"}]
		> nothing
		` + reopeningAt("9000") + `
		> ["hello","0123456789abcdef","me",{"connection":3,"epoch":"s1"}]
		> ["join",1,"abc","e",1,0]
		< ` + welcome + `
		< ["joined",1,"e",1,1]
		> nothing
		< ["refused",1,1,4300,"no"]
		> ["transaction",1,2,1,{"count":1},null,1]
		< ["accepted",1,2,2]
		> ["patch",1,3,2,[["remove",["list",0]]]]
	`,
	"a refused join": `
		join abc
		merge {"x":1}
		start
		connected
		> ["hello","0123456789abcdef","me",{"connection":1}]
		> ["join",1,"abc"]
		! ...
		< ["welcome","s1",{"heartbeat":15000,"window":3,"windowBytes":1000,"maxMessage":4000}]
		< ["closed",1,4200,"no such state"]
		! settled 1 unsent state_not_found: no such state
		! changed rollback 0-0 {} was {"x":1} removed x
		! closed state_not_found: no such state
		! status
		phase connected closed
		join abc
		> ["join",2,"abc"]
	`,
	"a removed state settles what is pending and can be joined anew": opening + `
		merge {"x":1}
		> ["merge",1,1,1,{"x":1}]
		! ...
		< ["entries",1,2,[["add",["a"],1]]]
		< ["closed",1,4202,"ttl"]
		! changed remote 1-2 {"a":1} was {}
		! settled 1 sent state_removed: ttl
		! changed rollback 2-2 {} was {"x":1} removed x
		! closed state_removed: ttl
		join abc
		> ["join",2,"abc"]
		< ["joined",2,"f",0,0,[],{"new":1}]
		! changed catch-up 0-0 {"new":1} was {}
		! joined fresh
	`,
}
