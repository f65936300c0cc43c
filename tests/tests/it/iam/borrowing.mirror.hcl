# A stack that works in somebody else's network: VPC, SUBNET, GROUP, INTERFACE, TARGET and FILTER are
# theirs, and so is the key pair.
stack "borrower" { region = "eu-west-1" }

subnet "own" {
  vpc  = "VPC"
  cidr = "10.9.8.0/24"
}

internet_gateway "out" { vpc = "VPC" }

route_table "theirs" {
  vpc     = "VPC"
  subnets = ["SUBNET"]
}

security_group "own" { vpc = "VPC" }

instance "there" {
  instance_type   = "t3.micro"
  ami             = "AMI"
  subnet          = "SUBNET"
  security_groups = ["GROUP", security_group.own]
  key_name        = "theirs"
}

mirror_target "interface" { network_interface = instance.there }

mirror_session "theirs" {
  source = "INTERFACE"
  target = "TARGET"
  filter = "FILTER"
  number = 7
}
