# What the web server sends and receives by HTTPS, mirrored to a sensor.
stack "prod" { region = "eu-west-1" }

# Pinned: a newer image would be another plan than the one that was reviewed.
locals { image = "ami-0d087a7e242f45a46" }

vpc "web" { cidr = "10.0.0.0/16" }

subnet "web" {
  vpc  = vpc.web
  cidr = "10.0.1.0/24"
}

security_group "web" {
  vpc     = vpc.web
  ingress = [{ protocol = "tcp", port = 443, cidrs = [vpc.web.cidr] }]
}

security_group "sensor" {
  vpc     = vpc.web
  ingress = [{ protocol = "udp", port = 4789, cidrs = [subnet.web.cidr] }]
}

instance "web" {
  ami             = local.image
  instance_type   = "t3.micro"
  subnet          = subnet.web
  security_groups = [security_group.web]
}

instance "sensor" {
  ami             = local.image
  instance_type   = "t3.micro"
  subnet          = subnet.web
  security_groups = [security_group.sensor]
}

mirror_target "sensor" { network_interface = instance.sensor }

mirror_filter "https" {
  rules = [{ number = 100, action = "accept", protocol = "tcp", port = 443 }]
}

mirror_session "web" {
  source = instance.web
  target = mirror_target.sensor
  filter = mirror_filter.https
  number = 1
}
