Feature: what every stack has

  Scenario: the metadata service asks for a token
    Given I have aws_instance defined
    Then it must have metadata_options
    And it must have http_tokens
    And its value must be required

  Scenario: a session has a filter, though its id is not known yet
    Given I have aws_ec2_traffic_mirror_session defined
    Then it must have traffic_mirror_filter_id
