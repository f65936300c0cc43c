# A stack that shares its two mirror targets with two other accounts.

stack "sharing" { region = "eu-west-1" }

vpc "security" { cidr = "10.9.0.0/16" }

subnet "sensors" {
  vpc  = vpc.security
  cidr = "10.9.1.0/24"
}

instance "one" {
  subnet        = subnet.sensors
  instance_type = "t3.micro"
}

instance "two" {
  subnet        = subnet.sensors
  instance_type = "t3.micro"
}

mirror_target "one" { network_interface = instance.one }

mirror_target "two" { network_interface = instance.two }

resource_share "sensors" {
  mirror_targets = [mirror_target.one, mirror_target.two]
  principals     = ["222233334444", "333344445555"]
  tags           = { team = "security" }
}
