package core

import "strings"

var changeScripts = map[string]string{
	"changes are shown at once, sent in order and confirmed at no cost": opening + `
		merge {"x":1}
		! changed local 1-1 {"x":1} was {}
		patch [{"op":"add","path":"/list/-","value":"c"}]
		! changed local 1-1 {"list":["a","b","c"]} was {"list":["a","b"]}
		view {"count":0,"list":["a","b","c"],"x":1}
		confirmed {"count":0,"list":["a","b"]}
		> ["merge",1,1,1,{"x":1}]
		> ["patch",1,2,1,[["add",["list","-"],"c"]]]
		< ["accepted",1,1,2]
		! settled 1 accepted 2
		confirmed {"count":0,"list":["a","b"],"x":1}
		< ["accepted",1,2,3]
		! settled 2 accepted 3
		version 3
		< ["entries",1,4,[["increment",["count"],2]]]
		! changed remote 1-4 {"count":2} was {"count":0}
	`,
	"a change that changes nothing is sent and not reported": opening + `
		merge {"count":0}
		! 
		> ["merge",1,1,1,{"count":0}]
		< ["accepted",1,1,2]
		! settled 1 accepted 2
	`,
	"entries with nothing pending are reported one by one": opening + `
		< ["entries",1,2,[["add",["a"],1]],[["add",["a"],2]],[["add",["b"],1],["remove",["b"]]],[["remove",["a"]]]]
		! changed remote 1-2 {"a":1} was {}
		! changed remote 2-3 {"a":2} was {"a":1}
		! changed remote 3-5 {} was {"a":2} removed a
	`,
	"entries of a frame with changes pending are reported as one": opening + `
		patch [{"op":"add","path":"/list/-","value":"mine"}]
		! ...
		< ["entries",1,2,[["add",["list",2],"x"]],[["increment",["count"],1]]]
		< ["entries",1,4,[["add",["list",3],"y"]]]
		! changed remote 1-4 {"count":1,"list":["a","b","x","y","mine"]} was {"count":0,"list":["a","b","mine"]}
	`,
	"entries beside the pending changes": opening + `
		merge {"x":1}
		! ...
		< ["entries",1,2,[["increment",["count"],1]]]
		! changed remote 1-2 {"count":1} was {"count":0}
		> ["merge",1,1,2,{"x":1}]
		< ["accepted",1,1,3]
		! settled 1 accepted 3
		view {"count":1,"list":["a","b"],"x":1}
		confirmed {"count":1,"list":["a","b"],"x":1}
	`,
	"an entry that a pending merge overwrites is not reported": opening + `
		merge {"count":5}
		! ...
		< ["entries",1,2,[["increment",["count"],1]]]
		! 
		view {"count":5,"list":["a","b"]}
		confirmed {"count":1,"list":["a","b"]}
	`,
	"a refusal takes the change back and keeps the others": opening + `
		merge {"count":1}
		patch [{"op":"increment","path":"/count","value":10}]
		> ["merge",1,1,1,{"count":1}]
		> ["patch",1,2,1,[["increment",["count"],10]]]
		! ...
		< ["refused",1,1,4300,"no"]
		! settled 1 sent refused: no
		! changed rollback 1-1 {"count":10} was {"count":11}
		< ["accepted",1,2,2]
		! settled 2 accepted 2
		confirmed {"count":10,"list":["a","b"]}
	`,
	"a refusal of what others have overwritten is not reported": opening + `
		merge {"count":1}
		merge {"count":2}
		> ["merge",1,1,1,{"count":1}]
		> ["merge",1,2,1,{"count":2}]
		! ...
		< ["refused",1,1,4300,"no"]
		! settled 1 sent refused: no
	`,
	"a rewrite corrects the view": opening + `
		merge {"count":1}
		patch [{"op":"add","path":"/list/-","value":"c"}]
		> ["merge",1,1,1,{"count":1}]
		> ["patch",1,2,1,[["add",["list","-"],"c"]]]
		! ...
		< ["accepted",1,1,2,[["add",["count"],7],["add",["by"],"rule"]]]
		! settled 1 accepted 2
		! changed remote 1-2 {"by":"rule","count":7} was {"count":1}
		view {"by":"rule","count":7,"list":["a","b","c"]}
	`,
	"a rewrite to nothing": opening + `
		merge {"count":1}
		> ["merge",1,1,1,{"count":1}]
		! ...
		< ["accepted",1,1,2,[]]
		! settled 1 accepted 2
		! changed remote 1-2 {"count":0} was {"count":1}
	`,
	"answers that were given already, and unknown numbers, are ignored": opening + `
		merge {"x":1}
		> ["merge",1,1,1,{"x":1}]
		< ["accepted",1,1,2]
		! ...
		< ["accepted",1,1,2]
		< ["refused",1,1,4300,"no"]
		< ["refused",1,9,4300,"no"]
		! 
		merge {"x":2}
		> ["merge",1,2,2,{"x":2}]
	`,
	"an answer out of order breaks the protocol": opening + `
		merge {"x":1}
		merge {"x":2}
		> ["merge",1,1,1,{"x":1}]
		> ["merge",1,2,1,{"x":2}]
		! ...
		< ["refused",1,2,4300,"no"]
		! disconnect 4103 the server broke the protocol: state abc: change 2 was answered before an earlier one
		! problem code 1002: the server broke the protocol: state abc: change 2 was answered before an earlier one
		! status
		view {"count":0,"list":["a","b"],"x":2}
	`,
	"a change that does not apply fails at once": opening + `
		patch [{"op":"replace","path":"/none","value":1}]
		fails path_not_found: the object has no member "none" (at /none)
		patch [{"op":"test","path":"/count","value":1}]
		fails test_failed: the value is 0, and not 1 (at /count)
		patch [{"op":"add","path":"","value":[]}]
		fails patch_failed: a state's value must be an object
		merge [1]
		fails invalid_patch: updates must be an object
		> nothing
		! 
	`,
	"changes before the first join are shown where they can be": `
		join abc
		merge {"x":1}
		! changed local 0-0 {"x":1} was {}
		patch [{"op":"increment","path":"/x","value":1}]
		! changed local 0-0 {"x":2} was {"x":1}
		patch [{"op":"add","path":"/list/0","value":"first"}]
		patch [{"op":"remove","path":"/list/2"}]
		patch [{"op":"increment","path":"/count","value":1}]
		patch [{"op":"remove","path":"/nowhere"}]
		hidden 4
		! 
		start
		connected
		> ["hello","0123456789abcdef","me",{"connection":1}]
		> ["join",1,"abc"]
		! ...
		< ["welcome","s1",{"heartbeat":15000,"window":9,"windowBytes":1000,"maxMessage":4000}]
		< ["joined",1,"e",4,0,[],{"count":0,"list":["a","b"]}]
		! settled 6 unsent path_not_found: the object has no member "nowhere" (at /nowhere)
		! changed catch-up 0-4 {"count":1,"list":["first","a"]} was {}
		! joined fresh
		! status
		view {"count":1,"list":["first","a"],"x":2}
		> ["merge",1,1,4,{"x":1}]
		> ["patch",1,2,4,[["increment",["x"],1]]]
		< ["accepted",1,1,5]
		< ["accepted",1,2,6]
		> ["patch",1,3,6,[["add",["list",0],"first"]]]
		< ["accepted",1,3,7]
		> ["patch",1,4,7,[["remove",["list",2]]]]
		> ["patch",1,5,7,[["increment",["count"],1]]]
	`,
	"the window of a state holds": opening + `
		merge {"x":1}
		merge {"x":2}
		merge {"x":3}
		merge {"x":4}
		> ["merge",1,1,1,{"x":1}]
		> ["merge",1,2,1,{"x":2}]
		> ["merge",1,3,1,{"x":3}]
		< ["accepted",1,1,2]
		> ["merge",1,4,2,{"x":4}]
	`,
	"a transaction names what it read and saw": opening + `
		merge {"x":1}
		> ["merge",1,1,1,{"x":1}]
		basis
		transaction [count] {"count":1}
		> ["transaction",1,2,1,{"count":1},["count"],0]
		< ["accepted",1,1,2]
		basis
		transaction all {"count":2}
		> ["transaction",1,3,2,{"count":2},null,1]
		! ...
		< ["refused",1,2,4401,"moved"]
		! settled 2 sent stale: moved
		< ["accepted",1,3,3]
		! settled 3 accepted 3
	`,
	"a transaction whose basis has passed fails at once": opening + `
		basis
		merge {"count":1}
		transaction [count] {"y":1}
		fails stale: a property that the transaction read or wrote has changed since
		transaction [] {"y":1}
		transaction all {"y":2}
		fails stale: a property that the transaction read or wrote has changed since
	`,
	"a transaction that was not sent goes stale": `
		join abc
		start
		connected
		< ["welcome","s1",{"heartbeat":15000,"window":1,"windowBytes":1000,"maxMessage":4000}]
		> ["hello","0123456789abcdef","me",{"connection":1,"epoch":"s1"}]
		> ["join",1,"abc"]
		< ["joined",1,"e",1,0,[],{"count":0}]
		merge {"x":1}
		basis
		transaction [count] {"y":1}
		> ["merge",1,1,1,{"x":1}]
		! ...
		< ["entries",1,2,[["increment",["count"],1]]]
		! settled 2 unsent stale: a property that the transaction read or wrote has changed since
		! changed remote 1-2 {"count":1} was {"count":0,"y":1} removed y
	`,
	"a transaction goes stale when an earlier own change is refused": opening + `
		patch [{"op":"add","path":"/list/0","value":"z"}]
		patch [{"op":"add","path":"/list/0","value":"y"}]
		basis
		transaction [count] {"y":1}
		> ["patch",1,1,1,[["add",["list",0],"z"]]]
		! ...
		< ["refused",1,1,4300,"no"]
		! settled 1 sent refused: no
		! settled 3 unsent stale: a property that the transaction read or wrote has changed since
		! changed rollback 1-1 {"list":["y","a","b"]} was {"list":["y","z","a","b"],"y":1} removed y
	`,
	"a transaction waits behind a change whose properties depend on each other": opening + `
		patch [{"op":"copy","from":"/count","path":"/copy"}]
		basis
		transaction [copy] {"y":1}
		> ["patch",1,1,1,[["copy",["count"],["copy"]]]]
		< ["accepted",1,1,2]
		> ["transaction",1,2,2,{"y":1},["copy"],1]
	`,
	"a change that the server cannot read settles here": opening + `
		merge {"x":"` + big + `"}
		fails too_large: the change has 5008 bytes, and the server reads 4000
		! 
	`,
}

var carryScripts = map[string]string{
	"an index is sent alone and carried": opening + `
		merge {"x":1}
		patch [{"op":"replace","path":"/list/1","value":"B"}]
		> ["merge",1,1,1,{"x":1}]
		! ...
		< ["entries",1,2,[["add",["list",0],"new"]]]
		! changed remote 1-2 {"list":["new","a","B"]} was {"list":["a","B"]}
		< ["accepted",1,1,3]
		> ["patch",1,2,3,[["replace",["list",2],"B"]]]
		merge {"x":2}
		> ["merge",1,3,3,{"x":2}]
		! ...
		< ["entries",1,4,[["remove",["list",0]]]]
		! changed remote 3-4 {"list":["a","B"]} was {"list":["new","a","B"]}
		< ["accepted",1,2,5]
		confirmed {"count":0,"list":["a","B"],"x":1}
	`,
	"at equal gaps the entry stays left": opening + `
		patch [{"op":"add","path":"/list/1","value":"mine"}]
		< ["entries",1,2,[["add",["list",1],"theirs"]]]
		view {"count":0,"list":["a","theirs","mine","b"]}
	`,
	"an unsent change of an ended element settles at once": opening + `
		patch [{"op":"replace","path":"/list/1","value":"B"}]
		! ...
		< ["entries",1,2,[["remove",["list",1]]]]
		! settled 1 unsent conflict: a change accepted earlier removed or replaced the element, moved it away, or wrote over its array (at /list/1)
		! changed remote 1-2 {"list":["a"]} was {"list":["a","B"]}
	`,
	"a sent change of an ended element is hidden until the server decides": opening + `
		patch [{"op":"replace","path":"/list/1","value":"B"}]
		> ["patch",1,1,1,[["replace",["list",1],"B"]]]
		! ...
		< ["entries",1,2,[["remove",["list",1]]]]
		! changed remote 1-2 {"list":["a"]} was {"list":["a","B"]}
		hidden 1
		< ["refused",1,1,4400,"gone"]
		! settled 1 sent conflict: gone
	`,
	"a hidden change that the server accepts without its operations makes the client join anew": opening + `
		patch [{"op":"replace","path":"/list/1","value":"B"}]
		> ["patch",1,1,1,[["replace",["list",1],"B"]]]
		! ...
		< ["entries",1,2,[["remove",["list",1]]]]
		< ["accepted",1,1,3]
		! settled 1 accepted 3
		! changed remote 1-2 {"list":["a"]} was {"list":["a","B"]}
		> ["leave",1]
		> ["join",2,"abc"]
		< ["entries",1,4,[["add",["late"],1]]]
		< ["joined",2,"e",4,1,[[1,3]],{"count":0,"list":["a","B"],"late":1}]
		! changed catch-up 2-4 {"late":1,"list":["a","B"]} was {"list":["a"]}
		! joined fresh
	`,
	"a name that is gone hides a sent change, and shows it when it comes back": opening + `
		patch [{"op":"increment","path":"/count","value":1}]
		> ["patch",1,1,1,[["increment",["count"],1]]]
		! ...
		< ["entries",1,2,[["remove",["count"]]]]
		! changed remote 1-2 {} was {"count":1} removed count
		hidden 1
		< ["entries",1,3,[["add",["count"],5]]]
		! changed remote 2-3 {"count":6} was {}
		< ["accepted",1,1,4]
		! settled 1 accepted 4
		confirmed {"count":6,"list":["a","b"]}
	`,
	"a refused predecessor is carried out of the later changes": opening + `
		patch [{"op":"add","path":"/list/0","value":"z"}]
		patch [{"op":"replace","path":"/list/2","value":"B"}]
		patch [{"op":"replace","path":"/list/0","value":"Z"}]
		> ["patch",1,1,1,[["add",["list",0],"z"]]]
		! ...
		< ["refused",1,1,4300,"no"]
		! settled 1 sent refused: no
		! settled 3 unsent conflict: a change accepted earlier removed or replaced the element, moved it away, or wrote over its array (at /list/0)
		! changed rollback 1-1 {"list":["a","B"]} was {"list":["Z","a","B"]}
		> ["patch",1,2,1,[["replace",["list",1],"B"]]]
	`,
	"a rewritten predecessor is carried out, and what came of it in": opening + `
		patch [{"op":"add","path":"/list/0","value":"z"}]
		patch [{"op":"replace","path":"/list/2","value":"B"}]
		> ["patch",1,1,1,[["add",["list",0],"z"]]]
		< ["accepted",1,1,2,[["add",["list",0],"x"],["add",["list",1],"y"]]]
		> ["patch",1,2,2,[["replace",["list",3],"B"]]]
		view {"count":0,"list":["x","y","a","B"]}
	`,
	"an index into what a pending merge has written is not moved by others": opening + `
		merge {"list":["a","b","c"]}
		patch [{"op":"replace","path":"/list/2","value":"C"}]
		> ["merge",1,1,1,{"list":["a","b","c"]}]
		< ["entries",1,2,[["add",["list",0],"x"]],[["copy",["list",0],["moved"]]]]
		view {"count":0,"list":["a","b","C"],"moved":"x"}
		< ["accepted",1,1,4]
		> ["patch",1,2,4,[["replace",["list",2],"C"]]]
	`,
}

var big = strings.Repeat("a", 5000)
