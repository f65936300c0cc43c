# What is to be mirrored by the stack beside this one: in life the instances of another team, made by
# whatever tool. Here another stack, so that instances can come and go:
#
#   mirror --local apply estate.mirror.hcl --auto-approve --var web=3

stack "estate" {
  region = "eu-west-1"
}

variable "web" { default = 2 }

# Whether the first instance is to be mirrored.
variable "mirror" { default = "true" }

vpc "production" {
  cidr = "10.0.0.0/16"
}

subnet "web" {
  vpc  = vpc.production
  cidr = "10.0.1.0/24"
}

instance "web" {
  count         = var.web
  instance_type = "t3.micro"
  subnet        = subnet.web
  tags          = { mirror = count.index == 0 ? var.mirror : "true" }
}

# AWS mirrors no instance of this type, so that it is left out.
instance "old" {
  instance_type = "t2.micro"
  subnet        = subnet.web
  tags          = { mirror = "true" }
}

# What receives the packets is not mirrored itself, whatever its tags say.
instance "ids" {
  instance_type = "t3.micro"
  subnet        = subnet.web
  tags          = { mirror = "true" }
}
