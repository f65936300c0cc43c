# Mirrors whatever carries a tag, as instances come and go, to an interface that is there already.
#
# Everything but the filter, the target and the sessions belongs to others and is left as it is.

stack "sensors" {
  region = "eu-west-1"
}

existing "instance" "ids" {
  name = "ids"
}

# An interface counts while it is there and carries the tag, itself or on its instance. With fewer or
# more than expected nothing is done: somebody has renamed the tag, or uses it for something else too.
# AWS takes 10 sources for a target that is an interface; behind a load balancer there is no such limit.
sources "web" {
  tags   = { mirror = "true" }
  expect = "1..10"
}

mirror_target "ids" {
  network_interface = instance.ids
}

mirror_filter "all" {
  rules = [{ number = 100, action = "accept" }]
}

# A session for each of them: mirror_session.detect["eni-..."]. The receiver tells interfaces apart by
# the VNI, which each keeps for as long as it is mirrored.
mirror_session "detect" {
  source = sources.web
  target = mirror_target.ids
  filter = mirror_filter.all
  number = 1
  vni    = "4096..8191"
}
