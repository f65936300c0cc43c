// Takes the frames out of VXLAN packets by gopacket: gopacket IN.pcap OUT.pcap
package main

import (
	"bufio"
	"log"
	"os"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	in, err := os.Open(os.Args[1])
	check(err)
	reader, err := pcapgo.NewReader(bufio.NewReaderSize(in, 1<<20))
	check(err)
	out, err := os.Create(os.Args[2])
	check(err)
	buffered := bufio.NewWriterSize(out, 1<<20)
	writer := pcapgo.NewWriterNanos(buffered)
	check(writer.WriteFileHeader(262144, layers.LinkTypeEthernet))
	var ethernet layers.Ethernet
	var ip layers.IPv4
	var udp layers.UDP
	var vxlan layers.VXLAN
	// Not past the VXLAN header: the frame is its payload.
	parser := gopacket.NewDecodingLayerParser(layers.LayerTypeEthernet, &ethernet, &ip, &udp)
	parser.IgnoreUnsupported = true
	var decoded []gopacket.LayerType
	for {
		data, info, err := reader.ZeroCopyReadPacketData()
		if err != nil {
			break
		}
		check(parser.DecodeLayers(data, &decoded))
		check(vxlan.DecodeFromBytes(udp.Payload, gopacket.NilDecodeFeedback))
		info.CaptureLength = len(vxlan.Payload)
		info.Length = len(vxlan.Payload)
		check(writer.WritePacket(info, vxlan.Payload))
	}
	check(buffered.Flush())
}
